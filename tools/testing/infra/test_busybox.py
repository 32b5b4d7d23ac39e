# SPDX-License-Identifier: GPL-2.0-only
"""scripts/pkvm/busybox.sh: the program of the package, wherever a release keeps it."""

import os
import unittest

from sandbox import Sandbox

# An apt-get that has a package with one file, and the dpkg-deb that knows it.
APT = """#!/bin/bash
case "$*" in *download*) touch busybox-static_1_arm64.deb ;; esac
"""
DPKG_DEB = """#!/bin/bash
mkdir -p "$3/$(dirname {path})" && echo program >"$3/{path}"
"""


class Busybox(unittest.TestCase):
    def busybox(self, path):
        box = Sandbox()
        self.addCleanup(box.close)
        for name, text in ('apt-get', APT), ('dpkg-deb', DPKG_DEB.format(path=path)):
            box.write(f'bin/{name}', text)
            os.chmod(box.path(f'bin/{name}'), 0o755)
        output = box.path('build/guest/busybox')
        return output, *box.run('scripts/pkvm/busybox.sh', output, env={
            'PATH': f'{box.path("bin")}:{os.environ["PATH"]}'})

    def test_both_places(self):
        """Debian 12 has it in /bin, Debian 13 in /usr/bin."""
        for path in 'bin/busybox', 'usr/bin/busybox':
            output, status, said = self.busybox(path)
            self.assertEqual(status, 0, said)
            with open(output) as file:
                self.assertEqual(file.read(), 'program\n')

    def test_elsewhere(self):
        """A package without it is named with the file."""
        output, status, said = self.busybox('opt/busybox')
        self.assertNotEqual(status, 0)
        self.assertIn('busybox-static does not give bin/busybox or usr/bin/busybox', said)
        self.assertFalse(os.path.exists(output))
