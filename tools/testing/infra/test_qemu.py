# SPDX-License-Identifier: GPL-2.0-only
"""scripts/pkvm/qemu.py: a run ends, and what went wrong has a name."""

import contextlib
import os
import pty
import subprocess
import sys
import time
import unittest
from unittest import mock

import qemu
from sandbox import TOP, Sandbox

GOOD = '@@ start 1 cat x\n12\n\n@@ exit 1 0\n@@ done 0\n'


class Version(unittest.TestCase):
    """An old QEMU is refused everywhere."""

    def check(self, have):
        with mock.patch.object(qemu, 'version', lambda: have):
            qemu.check_version()

    def test_too_old(self):
        """QEMU 9 is named with its place, and the command for a newer one follows."""
        with self.assertRaisesRegex(qemu.QemuError, r'QEMU 9\.2\.0: too old, 10\.0 is needed\.\n'
                                                    r'(.*apt-get install|The installed package )'):
            self.check((9, 2, 0))

    def test_new_enough(self):
        self.check((10, 0, 0))
        self.check((11, 1, 2))

    def test_in_path(self):
        """The QEMU that PATH gives counts, not the package; a run says so at once."""
        box = Sandbox()
        self.addCleanup(box.close)
        box.write('qemu-system-aarch64', '#!/bin/sh\necho QEMU emulator version 9.2.0\n')
        os.chmod(box.path('qemu-system-aarch64'), 0o755)
        for script in 'ground.py', 'run_kunit.py':
            status, output = box.run(f'scripts/pkvm/{script}', env={
                'PATH': f'{box.top}:{os.environ["PATH"]}'})
            self.assertEqual(status, 1, output)
            self.assertIn(f'{box.path("qemu-system-aarch64")} is QEMU 9.2.0: too old', output)

    def test_no_qemu(self):
        """A QEMU that is not there is named."""
        qemu.version.cache_clear()
        self.addCleanup(qemu.version.cache_clear)
        with mock.patch.object(qemu, 'QEMU', '/nonexistent/qemu'):
            with self.assertRaisesRegex(qemu.QemuError, '/nonexistent/qemu'):
                qemu.version()


class Console(unittest.TestCase):
    """A made-up QEMU writes a console; the cause must be found in it."""

    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)

    def boot(self, script, limit=20, **more):
        self.box.write('qemu', f'#!/bin/bash\n{script}\n')
        os.chmod(self.box.path('qemu'), 0o755)
        with mock.patch.object(qemu, 'QEMU', self.box.path('qemu')), \
                mock.patch.object(qemu, 'version', lambda: (10, 0, 0)):
            return qemu.boot(['cat x'], limit=limit, **more)

    def test_good(self):
        """A run that was done whole has no cause, and each job its output."""
        run = self.boot(f"cat <<'EOF'\n{GOOD}EOF")
        self.assertIsNone(run.cause)
        self.assertEqual(run.jobs[0].status, 0)
        self.assertEqual(run.jobs[0].output.strip(), '12')

    def test_failed_job(self):
        run = self.boot("printf '@@ start 1 cat x\\n\\n@@ exit 1 139\\n@@ done 1\\n'")
        self.assertIsNone(run.cause)
        self.assertEqual(run.jobs[0].status, 139)

    def test_kernel_panic(self):
        """A panic is told at once, not after the time limit."""
        start = time.monotonic()
        run = self.boot("echo '[  1.0] Kernel panic - not syncing: no init'; exec sleep 100",
                        limit=60)
        self.assertIn('Kernel panic - not syncing: no init', run.cause)
        self.assertLess(time.monotonic() - start, 20)

    def test_hypervisor_panic(self):
        run = self.boot("echo '[  1.0] kvm [1]: nVHE HYP panic: x'; echo 'HYP panic:'; "
                        "exec sleep 100")
        self.assertIn('HYP panic', run.cause)

    def test_time_limit(self):
        run = self.boot('exec sleep 100', limit=1)
        self.assertIn('did not end within 1 s', run.cause)
        self.assertIsNone(run.jobs[0].status)

    def test_ends_early(self):
        """A host that ends in the middle of a job names the job."""
        run = self.boot("printf '@@ start 1 cat x\\nhalf'")
        self.assertIn('ended early in job "cat x"', run.cause)
        self.assertIn('half', run.cause)

    def test_warning(self):
        """A host that complains has not passed."""
        run = self.boot("echo '[  1.0] WARNING: CPU: 0 PID: 1 at mm/x.c:1'\n"
                        f"cat <<'EOF'\n{GOOD}EOF")
        self.assertIn('WARNING: CPU: 0 PID: 1 at mm/x.c:1', run.cause)

    def test_job_over_its_limit(self):
        run = self.boot("printf '@@ start 1 cat x\\n\\n@@ limit 1 5\\n\\n"
                        "@@ exit 1 137\\n@@ done 1\\n'")
        self.assertIn('killed at its time limit', run.cause)

    def test_dialog(self):
        """What a dialog types reaches the console, and its answer the dialog."""
        heard = []

        def dialog(machine):
            machine.expect(rb'colour\? ')
            machine.type('blue')
            heard.append(machine.expect(rb'it is (\w+)')[0].group(1))

        run = self.boot("printf 'colour? '; read answer; echo \"it is $answer\"\n"
                        f"cat <<'EOF'\n{GOOD}EOF", dialog=dialog)
        self.assertIsNone(run.cause)
        self.assertEqual(heard, [b'blue'])

    def test_dialog_with_the_dead(self):
        """A QEMU that ends before it has listened is a run that ended early."""
        def dialog(machine):
            while True:
                machine.type('x' * 1000)
                machine.expect(rb'nothing like that|more')

        run = self.boot('exec <&-; echo hello; sleep 1; echo more', dialog=dialog)
        self.assertIn('ended early', run.cause)

    def test_panic_in_dialog(self):
        """A host that panics answers nothing: that is told, not the time limit."""
        run = self.boot("echo 'Kernel panic - not syncing: x'; echo why; exec sleep 100",
                        dialog=lambda machine: machine.expect(rb'colour\? '))
        self.assertEqual(run.cause, 'Kernel panic - not syncing: x')
        self.assertIn('why', run.console)

    def at_terminal(self, keys, script):
        """Run a made-up QEMU in a process with a terminal: its output there."""
        pid, terminal = pty.fork()
        if not pid:
            try:
                # Not what pytest has put in their place.
                sys.stdin, sys.stdout = os.fdopen(0), os.fdopen(1, 'w')
                run = self.boot(script, terminal=True)
                print(f'cause: {run.cause}', flush=True)
            finally:
                os._exit(0)
        text = b''
        with contextlib.suppress(OSError):
            while chunk := os.read(terminal, 4096):
                text += chunk
                if keys and b'ready' in text:
                    os.write(terminal, keys)
                    keys = None
        os.close(terminal)
        os.waitpid(pid, 0)
        return text.decode()

    def test_terminal(self):
        """Every key is the host's, Ctrl-C as well."""
        said = self.at_terminal(b'\x03\n', "stty -isig; echo ready; read answer; "
                                "printf '%s' \"$answer\" | od -An -tx1\n"
                                f"cat <<'EOF'\n{GOOD}EOF")
        self.assertIn(' 03', said)
        self.assertIn('cause: None', said)

    def test_leave_terminal(self):
        """Ctrl-] ends a run whose guest does not listen."""
        said = self.at_terminal(b'\x1d', 'echo ready; exec sleep 100')
        self.assertIn('cause: the run was ended at the terminal', said)

    def test_missing_file(self):
        with self.assertRaisesRegex(qemu.QemuError, '/nonexistent.*missing'):
            self.boot('true', files={'/x': '/nonexistent'})

    def test_nothing_left_behind(self):
        """What a run needs is gone when it ends."""
        before = set(os.listdir(qemu.BUILD))
        self.boot('true')
        self.assertEqual({name for name in set(os.listdir(qemu.BUILD)) - before
                          if name.startswith('run.')}, set())


class Init(unittest.TestCase):
    """The init of the test root, in a host."""

    def test_jobs(self):
        """Statuses, signals, quotes, limits and bad lines, each told as it was."""
        lines = ['cat /etc/jobs', '/nonexistent', '/etc/jobs', 'cat /nonexistent',
                 'write "/tmp/a b" "x  y"', 'cat "/tmp/a b"', 'sleep', 'cat "open',
                 'limit=0 sleep 1', 'memlock 64 /init-that-is-not', 'memfree',
                 'killed 2 /nonexistent', 'console', 'console /nonexistent']
        listed = ''.join(line + '\n' for line in lines)
        run = qemu.boot(lines, log=os.path.join(TOP, 'build/log/infra-init.log'))
        self.assertIsNone(run.cause)
        self.assertEqual([job.status for job in run.jobs],
                         [0, 127, 126, 1, 0, 0, 2, 2, 2, 1, 0, 1, 2, 1])
        self.assertEqual(run.jobs[0].output.strip(), listed.strip())
        self.assertEqual(run.jobs[5].output.strip(), 'x  y')
        self.assertRegex(run.jobs[10].output, r'(?m)^memfree \d+$')

    def test_limit_kills(self):
        """A job over its limit is killed, the next one still runs."""
        run = qemu.boot(['limit=1 sleep 60000', 'cat /proc/uptime'])
        self.assertTrue(run.jobs[0].timed_out)
        self.assertEqual(run.jobs[0].status, 137)
        self.assertEqual(run.jobs[1].status, 0)
        self.assertIn('killed at its time limit', run.cause)


class Secure(unittest.TestCase):
    """A host that a firmware of the secure world starts."""

    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)

    def test_boots(self):
        """All CPUs come up by its PSCI, in a protected host, and the machine goes off by it."""
        done = subprocess.run(['make', '-C', os.path.join(TOP, 'tools/testing/spmc'),
                               f'O={self.box.top}'], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        for cpu in 'a57', 'max':
            run = qemu.boot(['cat /sys/devices/system/cpu/online',
                             'cat /sys/kernel/debug/kvm/pkvm_stats'], cpu=cpu, smp=3,
                            spmc=self.box.path('spmc.bin'))
            self.assertIsNone(run.cause)
            self.assertEqual([job.status for job in run.jobs], [0, 0])
            self.assertEqual(run.jobs[0].output.strip(), '0-2')

    def test_none_there(self):
        """A firmware that is missing, and one that starts nothing, are told."""
        self.box.write('spmc.bin', '\0' * 4096)
        run = qemu.boot(['cat x'], limit=5, spmc=self.box.path('spmc.bin'))
        self.assertEqual(run.cause, 'the host did not end within 5 s')
        with self.assertRaisesRegex(qemu.QemuError, 'secure firmware.*nonexistent'):
            qemu.boot(['cat x'], spmc='/nonexistent')
