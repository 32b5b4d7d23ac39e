# SPDX-License-Identifier: GPL-2.0-only
"""Test scripts/pkvm/run_linux.py: make run GUEST=linux passes only if each of its checks does."""

import unittest
from unittest import mock

import console
import qemu
import run
import run_linux
from run_linux import POOL, QUESTIONS
from sandbox import TOP, Sandbox
from test_run import COUNTERS

SHA = '0123456789abcdef' * 4
SAID = {
    'version': 'Linux version 6.12.117 (x@y) #1 SMP',
    'online': '0-3',
    'nproc': '4',
    'page': 'KernelPageSize:        4 kB',
    'disk': '254:0',
    'root': '12 1 254:0 / / ro,relatime - ext4 /dev/root ro',
    'sha': f'{SHA}  -',
    'shell': run_linux.SHELL_SAYS,
}


def said(**changed):
    """Return the answers of a good guest, with some of them changed."""
    return {QUESTIONS[key]: changed.get(key, text) for key, text in SAID.items()}


class Answers(unittest.TestCase):
    """The guest's answers are checked."""

    def refused(self, words, **changed):
        with self.assertRaisesRegex(run.RunError, words):
            run_linux.check_answers(said(**changed), run_linux.Guest(), SHA)

    def test_good(self):
        answers = run_linux.check_answers(said(), run_linux.Guest(), SHA)
        self.assertEqual(answers['nproc'], '4')

    def test_other_kernel(self):
        self.refused('not Linux 6.12', version='Linux version 5.10.1')

    def test_cpu_missing(self):
        self.refused('3 CPUs are online in the guest, not 4', nproc='3')

    def test_other_pages(self):
        """A guest with other pages than it was asked for is not what was to be shown."""
        self.refused('do not have 4 KiB: KernelPageSize: 16 kB', page='KernelPageSize: 16 kB')
        with self.assertRaisesRegex(run.RunError, 'do not have 16 KiB'):
            run_linux.check_answers(said(), run_linux.Guest(guest_page=16), SHA)

    def test_root_elsewhere(self):
        self.refused('not on its disk', root='12 1 0:2 / / rw - rootfs none rw')

    def test_wrong_digest(self):
        self.refused('read other data', sha='f' * 64 + '  -')

    def test_wrong_shell(self):
        """The echo of a command is not an answer of the shell."""
        self.refused('the shell of the guest printed', shell=QUESTIONS['shell'])


class Shell(unittest.TestCase):
    """A guest that does not answer all commands has failed."""

    def refused(self, words, answers, waiting=()):
        shell = console.Shell(waiting)
        shell.answers = answers
        with self.assertRaisesRegex(run.RunError, words):
            run_linux.answers(shell)

    def test_no_shell(self):
        self.refused('did not start a shell', [], ['nproc'])
        self.refused('did not start a shell', [])

    def test_stuck(self):
        self.refused('did not finish the command "nproc"', [console.Answer('nproc')])

    def test_failed(self):
        self.refused('"x" ended with status 127: not found',
                     [console.Answer('x', 127, 'not found')])

    def test_half(self):
        self.refused('did not start a shell', [console.Answer('x', 0, '')], ['y'])


class Whole(unittest.TestCase):
    """A run on a made-up host passes, or fails with its cause."""

    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)
        self.box.write('disk', 'x' * 1024)
        self.sha = run.digest(self.box.path('disk'))

    def run_with(self, after=None, status=0, cause=None, pool=1, guest_says=None, guest=None,
                 vm_says='', vmm_says=''):
        """Do a run in which the VMM ends with this status and the counters increase by these."""
        zero = ''.join(f'{key} 0\n' for key in COUNTERS)
        gained = dict(COUNTERS, calls_share=256, calls_guard=44, pages_shared=256, pages_unshared=0,
                      pages_reclaimed_shared=256, pages_donated=300, pages_reclaimed_private=44)
        text = ''.join(f'{key} {value}\n' for key, value in dict(gained, **(after or {})).items())
        jobs = [qemu.Job('before', 0, zero),
                qemu.Job('vm', status, 'vmm: error: no such limit\n' + vm_says),
                qemu.Job('vmm', 0, 'exits 2\nexits_mmio_read 2\n' + vmm_says),
                qemu.Job('after', 0, text)]

        def boot(_jobs, *_, dialog, **__):
            words = dict(said(sha=f'{self.sha}  -'), **(guest_says or {}))
            words[POOL] = f'created restricted DMA pool at 0x0, size {pool} MiB'
            words[run_linux.WINDOWS] = 'windows: the guest looks for windows'
            dialog.answers = [console.Answer(command, 0, words[command])
                              for command in dialog.waiting]
            dialog.waiting = []
            return qemu.Run(jobs, 'console', 1.0, cause)
        with mock.patch.object(run_linux, 'boot', boot), \
                mock.patch.object(run_linux, 'check_built', lambda *_: None), \
                mock.patch('builtins.print'):
            run_linux.run_guest(self.box.path('disk'), guest or run_linux.Guest())

    def refused(self, words, **more):
        with self.assertRaisesRegex(run.RunError, words):
            self.run_with(**more)

    def windows(self, exchanged=2, added=3, removed=2, shared=700, back=700):
        """What a run with two windows printed and counted; by default it is right."""
        return {'guest': run_linux.Guest(windows=2),
                'after': {'window_pages_shared': shared, 'window_pages_unshared': back},
                'vm_says': f'windows: {exchanged} exchanged, 1 non-cacheable, 7 pages shared\n',
                'vmm_says': f'windows_added {added}\nwindows_removed {removed}\n'
                            'window_maps 4\nwindow_unmaps 3\n'}

    def test_windows(self):
        """Guest and host use each window, and what the guest got of them comes back."""
        self.run_with(**self.windows())
        for changed, words in (({'exchanged': 1}, 'did not use the windows: windows: 1 exch'),
                               ({'added': 2}, '1 windows were plugged in and 2 pulled out'),
                               ({'removed': 1}, '2 windows were plugged in and 1 pulled out'),
                               ({'shared': 0, 'back': 0}, 'got 0 pages of windows'),
                               ({'back': 699}, 'got 700 pages of windows, and the host has 699')):
            self.refused(words, **self.windows(**changed))

    def test_good(self):
        self.run_with()

    def test_vmm_failed(self):
        self.refused('status 1: vmm: error: no such limit', status=1)

    def test_reset_is_no_poweroff(self):
        self.refused('status 3', status=3)

    def test_host_panicked(self):
        self.refused('HYP panic', status=None, cause='HYP panic: x')

    def test_page_lost(self):
        self.refused('300 pages were donated, 299 came back', after={'pages_reclaimed_private': 43})

    def test_shared_page_lost(self):
        self.refused('256 pages were left shared, 255 came back shared',
                     after={'pages_reclaimed_shared': 255, 'pages_reclaimed_private': 45})

    def test_pool_not_shared(self):
        self.refused('less than its DMA pool of 2 MiB', pool=2)

    def test_not_protected(self):
        self.refused('the VM was not protected',
                     after={'pages_donated': 0, 'pages_reclaimed_private': 0,
                            'pages_reclaimed_shared': 0})


class CommandLine(unittest.TestCase):
    """Wrong options are refused before anything is booted."""

    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)
        self.box.take('tools/pvmfw/pvmfw_config.py')

    def refused(self, words, *arguments):
        status, output = self.box.run('scripts/pkvm/run_linux.py', *arguments)
        self.assertEqual(status, 1, output)
        self.assertIn('make run: error: ', output)
        self.assertIn(words, output)
        self.assertNotIn('Traceback', output)

    def test_nothing_built(self):
        self.refused('run make guest first')

    def test_no_terminal(self):
        self.refused('INTERACTIVE=1 needs a terminal', '--interactive', '--disk', '/x')

    def test_windows(self):
        for value in ('0', '9', '-1', '1x', 'yes', '1.0'):
            self.refused(f'WINDOW={value}: not a number from 1 to 8', f'--windows={value}')
        self.refused('WINDOW= and INTERACTIVE=1', '--windows', '1', '--interactive')

    def test_job(self):
        """With windows, the host's program runs the VMM with a control socket."""
        self.assertRegex(run_linux.Guest(windows=2).job(),
                         '^limit=[0-9]+ console /windows_host 2 (.*) /vmm --protected --control '
                         r'\1 ')
        self.assertNotIn('window', run_linux.Guest().job())

    def test_make(self):
        """GUEST, INTERACTIVE and WINDOW are checked by make run itself."""
        for words in (['GUEST=windows'], ['INTERACTIVE=1'], ['WINDOW=1']):
            status, output = self.box.run('make', '-C', TOP, 'run', *words)
            self.assertNotEqual(status, 0)
            self.assertIn('make run: error: GUEST can only be "linux"', output)
