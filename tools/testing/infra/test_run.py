# SPDX-License-Identifier: GPL-2.0-only
"""Test scripts/pkvm/run.py: make run passes only if each of its checks does."""

import os
import unittest
from unittest import mock

import qemu
import run
import stage2
from sandbox import Sandbox
from test_stage2 import DUMP

SHA = '0123456789abcdef' * 4
GUEST = f'''pvmfw: start
pvmfw: disk 1024 bytes
pvmfw: sha256 {SHA}
pvmfw: stats share_calls=2 unshare_calls=2 pages_shared_peak=2 granule_queries=1 requests=1
pvmfw: nothing shared
pvmfw: off
'''
LINUX = f'pvmfw: boot\nguest: Linux 6.12.1, disk sha256 {SHA}, no ext4\n'
COUNTERS = {'vms_created': 1, 'vms_destroyed': 1, 'pages_donated': 10, 'pages_relinquished': 0,
            'pages_shared': 2, 'pages_unshared': 2, 'pages_reclaimed_private': 10,
            'pages_reclaimed_shared': 0, 'metadata_pages_donated': 3,
            'metadata_pages_returned': 3}

CONFIG = 'tools/pvmfw/pvmfw_config.py'


class Disk(unittest.TestCase):
    """The disk image is checked before anything is booted."""

    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)
        self.box.take(CONFIG)

    def refused(self, path, words):
        status, output = self.box.run('scripts/pkvm/run.py', '--disk', path)
        self.assertEqual(status, 1, output)
        self.assertIn('make run: error: ', output)
        self.assertIn(words, output)
        self.assertNotIn('Traceback', output)

    def test_missing(self):
        self.refused('/nonexistent', '/nonexistent: there is no such file')

    def test_empty(self):
        self.box.write('disk', '')
        self.refused(self.box.path('disk'), 'empty')

    def test_odd(self):
        self.box.write('disk', 'x' * 1000)
        self.refused(self.box.path('disk'), '1000 bytes are not a whole number of 512-byte')

    def test_directory(self):
        self.refused(self.box.top, 'not a regular file')

    def test_nothing_built(self):
        """Without a host kernel there is an error message and no stack trace."""
        self.box.write('disk', 'x' * 512)
        self.refused(self.box.path('disk'), 'run make first')


class Guest(unittest.TestCase):
    """The firmware's output is compared with the disk image."""

    def refused(self, output, words, sha=SHA, size=1024):
        with self.assertRaisesRegex(run.RunError, words):
            run.check_guest(output, size, sha)

    def test_good(self):
        self.assertEqual(run.check_guest(GUEST, 1024, SHA)['share_calls'], 2)

    def test_wrong_digest(self):
        self.refused(GUEST, 'read other data', sha='f' * 64)

    def test_no_digest(self):
        self.refused(GUEST.replace('sha256', 'sha255'), 'no SHA-256')

    def test_wrong_size(self):
        self.refused(GUEST, '2048 bytes', size=2048)

    def test_still_shared(self):
        self.refused(GUEST.replace('nothing shared', 'something'), 'nothing is shared')

    def test_error(self):
        self.refused('pvmfw: error: no virtio block device\n', 'no virtio block device')

    def test_no_stats(self):
        self.refused(GUEST.replace('pvmfw: stats', 'x'), 'statistics')


class Linux(unittest.TestCase):
    """Linux's output is compared with the disk image."""

    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)
        self.box.write('disk', 'x' * 4096)

    def refused(self, output, words):
        with self.assertRaisesRegex(run.RunError, words):
            run.check_linux(output, self.box.path('disk'), SHA)

    def test_good(self):
        self.assertEqual(run.check_linux(LINUX, self.box.path('disk'), SHA),
                         ('Linux 6.12.1', 'no ext4'))

    def test_not_started(self):
        self.refused(LINUX.replace('pvmfw: boot', ''), 'did not start')

    def test_silent(self):
        self.refused('pvmfw: boot\n', 'did not print')

    def test_other_disk(self):
        self.refused(LINUX.replace(SHA, 'f' * 64), 'read other data')

    def test_not_mounted(self):
        """Linux has to mount an ext4 image, and cannot mount any other."""
        self.refused(LINUX.replace('no ext4', 'ext4 mounted, 3 entries'), 'not ext4')
        with open(self.box.path('disk'), 'r+b') as file:
            file.seek(0x438)
            file.write(b'\x53\xef')
        self.refused(LINUX, 'is ext4')


class Host(unittest.TestCase):
    """The host's counters must match."""

    def refused(self, words, **changed):
        with self.assertRaisesRegex(run.RunError, words):
            run.check_host(dict(COUNTERS, **changed))

    def test_good(self):
        run.check_host(COUNTERS)

    def test_not_protected(self):
        self.refused('the VM was not protected', pages_donated=0, pages_reclaimed_private=0,
                     pages_reclaimed_shared=0)

    def test_nothing_shared(self):
        self.refused('the VM shared no page', pages_shared=0, pages_unshared=0)

    def test_left_shared(self):
        self.refused('2 pages were shared, 1 unshared', pages_unshared=1,
                     pages_reclaimed_private=9, pages_reclaimed_shared=1)

    def test_shared_page_lost(self):
        """A page that was still shared when the VM was destroyed has to come back, too."""
        with self.assertRaisesRegex(run.RunError, '1 pages were left shared, 0 came back'):
            run.check_returned(dict(COUNTERS, pages_unshared=1))

    def test_fewer_than_the_firmware_says(self):
        """EL2 has to count at least the shares and unshares that the firmware counted."""
        run.check_counts({'pages_shared_peak': 2}, COUNTERS)
        for key in ('pages_shared', 'pages_unshared'):
            with self.assertRaisesRegex(run.RunError, 'the firmware shared and unshared 2 pages'):
                run.check_counts({'pages_shared_peak': 2}, dict(COUNTERS, **{key: 1}))

    def test_np_shared(self):
        """A non-protected VM shares nothing, and the host has to unshare all its pages."""
        counts = {'np_pages_shared': 5, 'np_pages_unshared': 5, 'pages_shared': 0}
        run.check_np_shared(counts)
        for key, value in (('np_pages_unshared', 4), ('np_pages_shared', 0), ('pages_shared', 1)):
            with self.assertRaises(run.RunError):
                run.check_np_shared(dict(counts, **{key: value}))

    def test_vm_left(self):
        """A VM that was created has to be destroyed."""
        self.refused('destroyed', vms_destroyed=0)

    def test_counter_missing(self):
        with self.assertRaisesRegex(run.RunError, 'vms_created'):
            run.check_host({})


class Tables(unittest.TestCase):
    """The host's stage-2 must be the same after the VM as before."""

    def setUp(self):
        self.drawn = []
        draw = mock.patch.object(stage2, 'draw', lambda rows, path: self.drawn.append(rows))
        draw.start()
        self.addCleanup(draw.stop)

    def test_good(self):
        run.report_tables(DUMP, DUMP.replace('tables: 3', 'tables: 9'), DUMP)
        self.assertEqual(len(self.drawn[0]), 3)

    def test_split(self):
        with self.assertRaisesRegex(run.RunError, "the host's stage-2 was .* before the VM"):
            run.report_tables(DUMP, DUMP, DUMP.replace('tables: 3', 'tables: 4'))

    def test_faults(self):
        """More faults of the host do not count as a change of its stage-2."""
        run.report_tables(DUMP + 'faults: 6\n', DUMP + 'faults: 7\n', DUMP + 'faults: 9\n')

    def test_no_dump(self):
        with self.assertRaisesRegex(run.RunError, 'not a dump'):
            run.report_tables('cat: no such file', DUMP, DUMP)


class Whole(unittest.TestCase):
    """The error of a failed run names the cause, not a later symptom."""

    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)
        self.box.take(CONFIG)
        self.box.write('disk', 'x' * 1024)
        for name in ('FIRMWARE', 'KERNEL', 'INITRD'):
            self.box.write(name, 4096 * 'x')
            patch = mock.patch.object(run, name, self.box.path(name))
            patch.start()
            self.addCleanup(patch.stop)

    def run_with(self, words, vm, cause=None):
        lines = ['before', 'tables before', 'vm', 'vmm', 'tables after', 'after']
        jobs = [qemu.Job(line, 0, '') for line in lines]
        jobs[lines.index('vm')] = vm
        host = qemu.Run(jobs, 'console', 1.0, cause)
        with mock.patch.object(qemu, 'boot', lambda *_, **__: host), \
                self.assertRaisesRegex(run.RunError, words):
            run.run(self.box.path('disk'), 'a57')

    def test_vmm_failed(self):
        self.run_with('status 1: vmm: no such limit',
                      qemu.Job('vm', 1, 'vmm: no such limit\n'))

    def test_firmware_reset(self):
        self.run_with('status 3: pvmfw: error: bad tree',
                      qemu.Job('vm', 3, 'pvmfw: error: bad tree\n'))

    def test_host_panicked(self):
        self.run_with('HYP panic', qemu.Job('vm', None, ''), cause='HYP panic: x')

    def test_digest_is_of_the_file(self):
        """The firmware's digest is compared with one computed from the image file."""
        self.run_with('read other data', qemu.Job('vm', 0, GUEST))

    def test_missing_build(self):
        os.makedirs(self.box.path('build'), exist_ok=True)
        status, output = self.box.run('scripts/pkvm/run.py', '--disk', self.box.path('disk'))
        self.assertEqual(status, 1)
        self.assertIn('pvmfw.bin is missing', output)
