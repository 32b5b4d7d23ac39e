# SPDX-License-Identifier: GPL-2.0-only
"""Test scripts/pkvm/vary.sh: it copies a kernel's objects, but not what was made from them."""

import os
import unittest

from sandbox import Sandbox


class Vary(unittest.TestCase):
    """The copies of a made-up kernel's objects."""

    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)
        self.here = self.box.path('build')
        self.box.write('build/host/.config', 'CONFIG_A=y\n')
        self.box.write('build/host/vmlinux', 'linked\n')
        self.box.write('build/host/arch/arm64/boot/Image', 'linked\n')
        self.box.write('build/host/mm/a.o', 'object\n')
        self.box.write('build/host/mm/.a.o.cmd',
                       f'savedcmd_mm/a.o := gcc {self.here}/linux/mm/a.c\n'
                       f'deps_mm/a.o := {self.here}/linux/include/a.h\n')
        os.utime(self.box.path('build/host/mm/a.o'), (1000, 1000))

    def vary(self, *args):
        return self.box.run('scripts/pkvm/vary.sh', *args)

    def test_objects(self):
        """Objects are copied with their time stamps, but neither .config nor linked files."""
        self.assertEqual(self.vary('build/new', 'build/host'), (0, ''))
        self.assertEqual(os.stat(self.box.path('build/new/mm/a.o')).st_mtime, 1000)
        self.assertEqual(self.box.read('build/new/mm/.a.o.cmd'),
                         self.box.read('build/host/mm/.a.o.cmd'))
        for name in ('.config', 'vmlinux', 'arch/arm64/boot/Image'):
            self.assertFalse(os.path.exists(self.box.path(f'build/new/{name}')))
            self.assertTrue(os.path.exists(self.box.path(f'build/host/{name}')))

    def test_other_source(self):
        """Recorded commands and dependencies then name the other source directory."""
        self.assertEqual(self.vary('build/new', 'build/host', 'build/stock/linux'), (0, ''))
        text = self.box.read('build/new/mm/.a.o.cmd')
        self.assertEqual(text.count(f'{self.here}/stock/linux/'), 2)
        self.assertNotIn(f'{self.here}/linux/', text)
        self.assertIn(f'{self.here}/linux/', self.box.read('build/host/mm/.a.o.cmd'))

    def test_begins_anew(self):
        """Files of an earlier run, complete or not, are removed."""
        self.box.write('build/new/old.o', 'x')
        self.box.write('build/new.new/half.o', 'x')
        self.assertEqual(self.vary('build/new', 'build/host'), (0, ''))
        self.assertFalse(os.path.exists(self.box.path('build/new/old.o')))
        self.assertFalse(os.path.exists(self.box.path('build/new/half.o')))

    def test_nothing_to_start_from(self):
        """If there are no objects to copy, the script fails and creates nothing."""
        status, _ = self.vary('build/new', 'build/none')
        self.assertNotEqual(status, 0)
        self.assertFalse(os.path.exists(self.box.path('build/new')))
