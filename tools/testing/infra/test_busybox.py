# SPDX-License-Identifier: GPL-2.0-only
"""Test scripts/pkvm/busybox.sh: it finds the program where each Debian release keeps it."""

import os
import unittest

from sandbox import Sandbox

# A made-up apt-get that downloads a package, and a dpkg-deb that extracts one file from it.
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
        """The script finds busybox in /bin (Debian 12) and in /usr/bin (Debian 13)."""
        for path in 'bin/busybox', 'usr/bin/busybox':
            output, status, said = self.busybox(path)
            self.assertEqual(status, 0, said)
            with open(output) as file:
                self.assertEqual(file.read(), 'program\n')

    def test_elsewhere(self):
        """If the package has no busybox, the error names the package and the file."""
        output, status, said = self.busybox('opt/busybox')
        self.assertNotEqual(status, 0)
        self.assertIn('busybox-static contains neither bin/busybox nor usr/bin/busybox', said)
        self.assertFalse(os.path.exists(output))
