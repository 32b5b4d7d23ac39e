# SPDX-License-Identifier: GPL-2.0-only
"""Test Ctrl-C during make: no process keeps running or holds the build lock, no file is left.

Nor does a process keep running when a script is killed.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import time
import unittest

from sandbox import PLAIN, Sandbox, patch

# The time in seconds that interrupted processes have to end.
GRACE = 5
# Processes of a test have this variable in their environment.
MARK = 'PKVM_TEST_INTERRUPT'
# A program that waits. It must not start a child before that: if SIGINT arrives while bash waits
# for a child that then exits normally, bash ignores the signal.
WAITS = '#!/bin/bash\n: >"$STARTED"\nexec sleep 600\n'
# One that stays when its terminal is gone. QEMU ends then, but not while it does not look.
STAYS = WAITS.replace(':', 'trap "" HUP; :', 1)


class Interrupt(unittest.TestCase):
    """Each phase of a run is interrupted while a made-up program waits in it."""

    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)
        self.box.write('build/log/x', '')

    def program(self, name, text=WAITS):
        """Put a program that waits into PATH, before the real one."""
        self.box.write(f'bin/{name}', text)
        os.chmod(self.box.path(f'bin/{name}'), 0o755)

    def living(self):
        """Return the command lines of this test's processes that still run after a while."""
        end = time.monotonic() + GRACE
        while (found := self.running()) and time.monotonic() < end:
            time.sleep(0.05)
        return found

    def running(self):
        """Return the command lines of this test's processes."""
        found = []
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                with open(f'/proc/{pid}/environ', 'rb') as file:
                    if f'{MARK}={self.box.top}\0'.encode() in file.read():
                        with open(f'/proc/{pid}/cmdline') as line:
                            found.append(line.read().replace('\0', ' '))
            except OSError:
                continue
        return found

    def interrupt(self, *command, whom=os.killpg, sign=signal.SIGINT):
        """Start a command, and signal it while the program waits. Return (status, output)."""
        started = self.box.path('started')
        with contextlib.suppress(FileNotFoundError):
            os.remove(started)
        environment = dict(os.environ, PATH=self.box.path('bin') + ':' + os.environ['PATH'],
                           STARTED=started, PYTHONDONTWRITEBYTECODE='1')
        environment[MARK] = self.box.top
        with subprocess.Popen(command, cwd=self.box.top, env=environment, text=True,
                              start_new_session=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            end = time.monotonic() + 60
            while not os.path.exists(started):
                self.assertIsNone(process.poll(), 'the program was not started')
                self.assertLess(time.monotonic(), end, 'the program was not started')
                time.sleep(0.05)
            whom(process.pid, sign)
            output, _ = process.communicate(timeout=60)
        return process.returncode, output

    def clean(self, *command, **more):
        """Interrupt a command and check that it leaves nothing. Return its output."""
        before = set(os.listdir(self.box.path('build')))
        status, output = self.interrupt(*command, **more)
        self.assertNotEqual(status, 0)
        self.assertEqual(self.living(), [])
        with open(self.box.path('build/.lock'), 'w') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        left = set(os.listdir(self.box.path('build'))) - before - {'.lock'}
        self.assertEqual({name for name in left if '.' in name}, set())
        return output

    def locked(self, command):
        """Return a command as the Makefile runs it, with the build lock held."""
        return ('flock', 'build/.lock', 'bash', '-c', command)

    def test_unpack(self):
        """An interrupt while the base is unpacked; the next run unpacks it."""
        self.program('tar')
        self.clean(*self.locked(f'scripts/pkvm/tree.py --base {self.box.tarball}'))
        self.assertFalse(os.path.exists(self.box.path('build/linux')))
        self.assertEqual(self.box.tree()[0], 0)

    def test_patch(self):
        """While the hooks are applied; the next run applies them."""
        self.assertEqual(self.box.tree()[0], 0)
        self.box.series(first=patch('arch/arm64/kvm/plain.c', 'two', 'TWO'))
        self.program('patch')
        self.clean(*self.locked(f'scripts/pkvm/tree.py --base {self.box.tarball}'))
        self.assertEqual(self.box.read('build/linux/arch/arm64/kvm/plain.c'), PLAIN)
        self.assertEqual(self.box.tree()[0], 0)
        self.assertEqual(self.box.read('build/linux/arch/arm64/kvm/plain.c'),
                         PLAIN.replace('two', 'TWO'))

    @unittest.skipIf(os.getuid(), 'only root installs packages')
    def test_install(self):
        """While packages are installed."""
        self.box.write('scripts/pkvm/packages', 'run pkvm-package-that-does-not-exist\n')
        self.program('apt-get')
        self.clean('scripts/pkvm/deps.sh', 'run')

    def test_configure(self):
        """While a kernel is configured."""
        self.box.write('fragment', 'CONFIG_KVM=y\n')
        self.program('make')
        self.clean(*self.locked('scripts/pkvm/config.sh build/host fragment'))

    def test_vary(self):
        """While a kernel's objects are copied; what looks like objects is whole."""
        self.box.write('build/host/vmlinux.o', 'object')
        self.program('cp')
        self.clean(*self.locked('scripts/pkvm/vary.sh build/other build/host'))
        self.assertFalse(os.path.exists(self.box.path('build/other')))
        self.assertEqual(self.box.run('scripts/pkvm/vary.sh', 'build/other', 'build/host'),
                         (0, ''))

    def test_fetch(self):
        """An interrupt while a package is downloaded."""
        self.program('apt-get')
        self.clean(*self.locked('scripts/pkvm/busybox.sh build/busybox'))

    def test_build(self):
        """An interrupt while a kernel is built."""
        self.program('cc1')
        self.box.write('kernel.mk', 'all:\n\tcc1\n')
        self.clean(*self.locked('scripts/pkvm/step.py "KERNEL  x" build/log/x.log '
                                'make -f kernel.mk'))

    def boot(self, text=WAITS):
        """Return a command that boots a host in a program that waits."""
        self.program('qemu', text)
        self.box.write('boot.py', '''
import sys
sys.path.insert(0, "scripts/pkvm")
import qemu
qemu.QEMU = "qemu"
qemu.version = lambda: (99, 0)
qemu.make_initrd = lambda scratch, *_: scratch
qemu.boot(["cat x"], kernel=__file__, initrd=__file__, limit=600)
''')
        return '/usr/bin/python3', 'boot.py'

    def test_boot(self):
        """An interrupt while a host runs ends QEMU and removes its temporary directory."""
        self.clean(*self.boot())

    def test_killed(self):
        """QEMU does not outlive a script that is terminated or killed."""
        for sign in signal.SIGTERM, signal.SIGKILL:
            status, _ = self.interrupt(*self.boot(STAYS), whom=os.kill, sign=sign)
            self.assertEqual(status, -sign)
            self.assertEqual(self.living(), [])

    def driver(self, parts, builds='@true'):
        """Return a command that runs test.py with made-up parts."""
        self.box.write('Makefile', f'test-builds:\n\t{builds}\n')
        self.box.write('driver.py', f'''
import sys
sys.path.insert(0, "scripts/pkvm")
import test
test.parts = lambda jobs, long: [test.Part("1 native", str(name), ["bash", "-c", command], 1, 600)
                                 for name, command in enumerate({parts!r})]
sys.argv = ["test.py"]
sys.exit(test.main())
''')
        return '/usr/bin/python3', 'driver.py'

    def test_parts(self):
        """An interrupt while parts of make test run ends their processes, and gives no result."""
        self.program('longest')
        command = self.driver(['longest | sleep 600', 'timeout 600 sleep 500'])
        for whom in (os.killpg, os.kill):
            output = self.clean(*command, whom=whom)
            self.assertNotIn(' passed, ', output)
            self.assertNotIn('not ok', output)

    def test_builds(self):
        """An interrupt while make test builds."""
        self.program('longest')
        output = self.clean(*self.driver(['echo ok'], 'longest; sleep 600'), whom=os.kill)
        self.assertNotIn(' passed, ', output)
