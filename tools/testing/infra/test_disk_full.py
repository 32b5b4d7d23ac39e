# SPDX-License-Identifier: GPL-2.0-only
"""Test a disk that becomes full during a build: the error says so, and the next run succeeds."""

import os
import unittest

from sandbox import BASE, PLAIN, TOP, Sandbox, patch

PLAIN_C = 'arch/arm64/kvm/plain.c'
KIB = 1024


class DiskFull(unittest.TestCase):
    """The tests mount a small file system on build/, in a mount namespace of their own."""

    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)
        self.box.write('arch/arm64/kvm/ours.c', 'ours\n')
        self.box.series(first=patch(PLAIN_C, 'two', 'TWO'))
        os.makedirs(self.box.path('build'), exist_ok=True)
        status, output = self.box.run('unshare', '-rm', 'true')
        if status:
            self.skipTest(f'this machine does not permit mounts: {output.strip()}')

    def mounted(self, script):
        """Run a script with build/ on an empty file system of 1 MiB. Return its output."""
        self.box.write('script', f'set -eu\nmount -t tmpfs -o size=1m none build\n{script}\n')
        status, output = self.box.run('unshare', '-rm', 'bash', 'script')
        self.assertEqual(status, 0, output)
        return output

    def test_tree(self):
        """If the base does not fit, no incomplete tree is left; the next run makes all of it."""
        self.box.base(dict(BASE, **{'drivers/large.c': 'x' * 3000 * KIB}))
        output = self.mounted(f'''
! scripts/pkvm/tree.py --base {self.box.tarball} || exit 1
ls -A build; echo ---
mount -o remount,size=20m build
scripts/pkvm/tree.py --base {self.box.tarball}
cat build/linux/{PLAIN_C}
''')
        first, second = output.split('---\n')
        self.assertIn('No space left on device', first)
        self.assertNotIn('Traceback', first)
        self.assertNotIn('linux\n', first)
        self.assertTrue(second.endswith(PLAIN.replace('two', 'TWO')), output)

    def test_files(self):
        """If our files do not fit, the next run continues without unpacking again."""
        self.box.write('arch/arm64/kvm/large.c', 'x' * 3000 * KIB)
        output = self.mounted(f'''
! scripts/pkvm/tree.py --base {self.box.tarball} || exit 1
echo ---
mount -o remount,size=20m build
scripts/pkvm/tree.py --base {self.box.tarball}
cat build/linux/{PLAIN_C}
stat -c %s build/linux/arch/arm64/kvm/large.c
''')
        first, second = output.split('---\n')
        self.assertIn('tree.py: error: ', first)
        self.assertIn('No space left on device', first)
        self.assertNotIn('Traceback', first)
        self.assertNotIn('UNPACK', second)
        self.assertTrue(second.endswith(PLAIN.replace('two', 'TWO') + f'{3000 * KIB}\n'), output)

    def test_root(self):
        """If the guest's root does not fit, no incomplete image is left."""
        for name in 'busybox', 'sve':
            self.box.write(name, 'x' * KIB)
        for name in os.listdir(os.path.join(TOP, 'tools/testing/guest')):
            self.box.take(f'tools/testing/guest/{name}')
        output = self.mounted('''
! scripts/pkvm/guest_root.py busybox sve build/root.img || exit 1
ls -A build; echo ---
mount -o remount,size=40m build
scripts/pkvm/guest_root.py busybox sve build/root.img
ls build
''')
        first, second = output.split('---\n')
        self.assertNotIn('Traceback', first)
        self.assertNotIn('root.img\n', first)
        self.assertIn('root.img\n', second)

    def test_vary(self):
        """No half copy of a kernel's objects, which would keep the disk full."""
        self.box.write('host/vmlinux.o', 'x' * 3000 * KIB)
        output = self.mounted('''
! scripts/pkvm/vary.sh build/other host || exit 1
ls -A build; echo ---
mount -o remount,size=20m build
scripts/pkvm/vary.sh build/other host
stat -c %s build/other/vmlinux.o
''')
        first, second = output.split('---\n')
        self.assertIn('No space left on device', first)
        self.assertEqual(first.strip().split('\n')[1:], [])
        self.assertEqual(second, f'{3000 * KIB}\n')

    def test_step(self):
        """If a log cannot be written, the step fails without a stack trace."""
        output = self.mounted('''
! head -c 2000000 /dev/zero >build/full 2>/dev/null || exit 1
! scripts/pkvm/step.py 'KERNEL  x' build/x.log bash -c 'echo half >build/made' || exit 1
''')
        self.assertNotIn('Traceback', output)
