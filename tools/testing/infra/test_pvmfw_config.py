# SPDX-License-Identifier: GPL-2.0-only
"""Test tools/pvmfw/pvmfw_config.py: it writes the configuration that the firmware reads."""

import hashlib
import os
import struct
import sys
import unittest

from sandbox import TOP, Sandbox

sys.path.insert(0, os.path.join(TOP, 'tools/pvmfw'))
import pvmfw_config as config  # noqa: E402


class Config(unittest.TestCase):
    """The format of the configuration and its place in the image."""

    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)
        self.box.take('tools/pvmfw/pvmfw_config.py')
        self.box.write('kernel', 'the kernel')
        self.box.write('initrd', 'the initrd')

    def entries(self, image):
        """Return the entries in the last page of an image, by type."""
        blob = image[-config.PAGE:]
        magic, version, size, count = struct.unpack('<4I', blob[:16])
        self.assertEqual((magic, version), (config.MAGIC, config.VERSION))
        self.assertLessEqual(size, config.PAGE)
        found = {}
        for i in range(count):
            kind, offset, length = struct.unpack('<3I', blob[16 + 12 * i:28 + 12 * i])
            self.assertLessEqual(offset + length, size)
            self.assertEqual(offset % 4, 0)
            found[kind] = blob[offset:offset + length]
        return found

    def test_round(self):
        """The entries have the digests, the text and the numbers that were given."""
        entries = config.entries_of(kernel=self.box.path('kernel'),
                                    initrd=self.box.path('initrd'), cmdline='quiet',
                                    read_size=4096, read_depth=16, max_disk=4096)
        found = self.entries(config.append(b'code', entries))
        self.assertEqual(found, {
            1: hashlib.sha256(b'the kernel').digest(),
            2: hashlib.sha256(b'the initrd').digest(),
            3: b'quiet\0', 4: struct.pack('<2I', 4096, 16), 6: struct.pack('<I', 4096)})

    def test_host_cmdline(self):
        """The host chooses the command line only if this is requested."""
        kernel = self.box.path('kernel')
        for wanted, types in ((True, [1, 5]), (False, [1])):
            entries = config.entries_of(kernel=kernel, host_cmdline=wanted)
            found = self.entries(config.append(b'code', entries))
            self.assertEqual(list(found), types)
        self.assertEqual(config.entries_of(host_cmdline=True), {5: struct.pack('<I', 1)})

    def test_placed(self):
        """The configuration is the page behind the image, and a second one replaces it."""
        image = config.append(b'x' * 5000, {})
        self.assertEqual(len(image), 3 * config.PAGE)
        self.assertEqual(self.entries(image), {})
        again = config.append(image, config.entries_of(kernel=self.box.path('kernel')))
        self.assertEqual(len(again), len(image))
        self.assertEqual(list(self.entries(again)), [1])

    def test_refused(self):
        """Values that the firmware would refuse are refused."""
        for wrong in ({'initrd': 'x'}, {'cmdline': 'a\nb'}, {'cmdline': 'x' * 2048},
                      {'read_size': 100}, {'read_size': 0x10200}, {'read_depth': 17},
                      {'read_depth': 0}, {'cmdline': '', 'host_cmdline': True},
                      {'max_disk': 0}, {'max_disk': 1 << 32}):
            with self.assertRaises(config.ConfigError):
                config.entries_of(**wrong)

    def test_program(self):
        """A missing file is an error without a stack trace."""
        status, output = self.box.run('tools/pvmfw/pvmfw_config.py', '/nonexistent',
                                      self.box.path('out'))
        self.assertEqual(status, 1)
        self.assertIn('error: ', output)
        self.assertNotIn('Traceback', output)
