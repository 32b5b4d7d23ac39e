# SPDX-License-Identifier: GPL-2.0-only
"""Test scripts/pkvm/qemu.py: a run ends in time, and names the cause if it fails."""

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
    """A QEMU before version 10 is refused by all scripts."""

    def check(self, have):
        with mock.patch.object(qemu, 'version', lambda: have):
            qemu.check_version()

    def test_too_old(self):
        """The error names the version, and how to get a newer one."""
        with self.assertRaisesRegex(qemu.QemuError, r'QEMU 9\.2\.0: too old, 10\.0 is needed\.\n'
                                                    r'(.*apt-get install|The installed package )'):
            self.check((9, 2, 0))

    def test_new_enough(self):
        self.check((10, 0, 0))
        self.check((11, 1, 2))

    def test_in_path(self):
        """The QEMU in PATH is checked, not the package, and before anything is built."""
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
        """If QEMU is missing, the error names it."""
        qemu.version.cache_clear()
        self.addCleanup(qemu.version.cache_clear)
        with mock.patch.object(qemu, 'QEMU', '/nonexistent/qemu'):
            with self.assertRaisesRegex(qemu.QemuError, '/nonexistent/qemu'):
                qemu.version()


class Console(unittest.TestCase):
    """The cause of a failed run is found in the console output of a made-up QEMU."""

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
        """A run whose jobs all ended has no cause, and each job has its output."""
        run = self.boot(f"cat <<'EOF'\n{GOOD}EOF")
        self.assertIsNone(run.cause)
        self.assertEqual(run.jobs[0].status, 0)
        self.assertEqual(run.jobs[0].output.strip(), '12')

    def test_failed_job(self):
        """A job that fails is not a failure of the run."""
        run = self.boot("printf '@@ start 1 cat x\\n\\n@@ exit 1 139\\n@@ done 1\\n'")
        self.assertIsNone(run.cause)
        self.assertEqual(run.jobs[0].status, 139)

    def test_kernel_panic(self):
        """After a panic the run ends soon, not at the time limit."""
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
        """If the host ends during a job, the cause names the job and the last output."""
        run = self.boot("printf '@@ start 1 cat x\\nhalf'")
        self.assertIn('ended early in job "cat x"', run.cause)
        self.assertIn('half', run.cause)

    def test_warning(self):
        """A run in which the host's kernel prints a warning has failed."""
        run = self.boot("echo '[  1.0] WARNING: CPU: 0 PID: 1 at mm/x.c:1'\n"
                        f"cat <<'EOF'\n{GOOD}EOF")
        self.assertIn('WARNING: CPU: 0 PID: 1 at mm/x.c:1', run.cause)

    def test_job_over_its_limit(self):
        run = self.boot("printf '@@ start 1 cat x\\n\\n@@ limit 1 5\\n\\n"
                        "@@ exit 1 137\\n@@ done 1\\n'")
        self.assertIn('killed at its time limit', run.cause)

    def test_dialog(self):
        """The console gets what a dialog types, and the dialog gets the console's output."""
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
        """If QEMU ends before it has read what was typed, the run ended early."""
        def dialog(machine):
            while True:
                machine.type('x' * 1000)
                machine.expect(rb'nothing like that|more')

        run = self.boot('exec <&-; echo hello; sleep 1; echo more', dialog=dialog)
        self.assertIn('ended early', run.cause)

    def test_panic_in_dialog(self):
        """If the host panics during a dialog, the cause is the panic, not the time limit."""
        run = self.boot("echo 'Kernel panic - not syncing: x'; echo why; exec sleep 100",
                        dialog=lambda machine: machine.expect(rb'colour\? '))
        self.assertEqual(run.cause, 'Kernel panic - not syncing: x')
        self.assertIn('why', run.console)

    def at_terminal(self, keys, script):
        """Run a made-up QEMU in a process with a terminal. Return the terminal's output."""
        pid, terminal = pty.fork()
        if not pid:
            try:
                # pytest has replaced these two.
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
        """The host gets every key, Ctrl-C included."""
        said = self.at_terminal(b'\x03\n', "stty -isig; echo ready; read answer; "
                                "printf '%s' \"$answer\" | od -An -tx1\n"
                                f"cat <<'EOF'\n{GOOD}EOF")
        self.assertIn(' 03', said)
        self.assertIn('cause: None', said)

    def test_leave_terminal(self):
        """Ctrl-] ends a run, also if the guest reads nothing."""
        said = self.at_terminal(b'\x1d', 'echo ready; exec sleep 100')
        self.assertIn('cause: the run was ended at the terminal', said)

    def test_missing_file(self):
        with self.assertRaisesRegex(qemu.QemuError, '/nonexistent.*missing'):
            self.boot('true', files={'/x': '/nonexistent'})

    def test_nothing_left_behind(self):
        """A run leaves no temporary directory."""
        before = set(os.listdir(qemu.BUILD))
        self.boot('true')
        self.assertEqual({name for name in set(os.listdir(qemu.BUILD)) - before
                          if name.startswith('run.')}, set())


class Init(unittest.TestCase):
    """The init of the test root, in a host."""

    def test_jobs(self):
        """init reports exit statuses, signals and time limits, and refuses malformed lines."""
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
        """A job is killed at its time limit, and the next job still runs."""
        run = qemu.boot(['limit=1 sleep 60000', 'cat /proc/uptime'])
        self.assertTrue(run.jobs[0].timed_out)
        self.assertEqual(run.jobs[0].status, 137)
        self.assertEqual(run.jobs[1].status, 0)
        self.assertIn('killed at its time limit', run.cause)


class Secure(unittest.TestCase):
    """A host that starts in secure firmware."""

    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)

    def test_boots(self):
        """Its PSCI starts all CPUs of a protected host, and turns the machine off."""
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
        """A missing secure firmware is an error, and one that does nothing ends at the limit."""
        self.box.write('spmc.bin', '\0' * 4096)
        run = qemu.boot(['cat x'], limit=5, spmc=self.box.path('spmc.bin'))
        self.assertEqual(run.cause, 'the host did not end within 5 s')
        with self.assertRaisesRegex(qemu.QemuError, 'secure firmware.*nonexistent'):
            qemu.boot(['cat x'], spmc='/nonexistent')
