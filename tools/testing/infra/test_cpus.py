# SPDX-License-Identifier: GPL-2.0-only
"""Test scripts/pkvm/cpus.py and ground.py: scripts accept the CPUs of one table and no others."""

import os
import re
import unittest

import cpus
import ground
import test
from sandbox import TOP, Sandbox

MADE_UP = """#!/bin/bash
case $* in
--version) echo QEMU emulator version 10.0.2 ;;
"-M help") printf '%s\\n' "Supported machines are:" {machines} ;;
"-cpu help") printf '  %s\\n' {models} ;;
esac
"""


class Table(unittest.TestCase):
    """Each script with an option --cpu accepts exactly the CPUs of the table."""

    def test_qemu_knows_them(self):
        """QEMU knows each model, and each CPU supports 4 KiB pages."""
        models = ground.offered('-cpu')
        for name, what in cpus.CPUS.items():
            self.assertIn(what.model.split(',')[0], models, name)
            self.assertIn(4, what.pages, name)

    def test_every_cpu_is_tested(self):
        """Each CPU runs all tests or the smoke tests, and the parts of make test say so."""
        names = {part.name.split()[-1] for part in test.parts('1')}
        self.assertEqual(set(cpus.CPUS) - set(cpus.SMOKE), set(cpus.WHOLE))
        self.assertLessEqual(set(cpus.WHOLE) | {'cpus'}, names)

    def test_scripts(self):
        """Each script with an option --cpu refuses an unknown CPU and lists the known ones."""
        box = Sandbox()
        self.addCleanup(box.close)
        scripts = []
        folder = os.path.join(TOP, 'scripts/pkvm')
        for name in sorted(os.listdir(folder)):
            if not name.endswith('.py'):
                continue
            with open(os.path.join(folder, name)) as file:
                text = file.read()
                if (re.search(r'(cpus|boards)\.add_\w*option', text) and
                        name not in ('cpus.py', 'boards.py', 'seeded.py')):
                    scripts.append(f'scripts/pkvm/{name}')
        scripts += ['scripts/pkvm/run_stress.py', 'tools/pvmfw/tests/boot.py',
                    'tools/vmm/tests/vm/vm.py']
        self.assertGreater(len(scripts), 10)
        for script in scripts:
            status, output = box.run(os.path.join(TOP, script), '--cpu', 'z80')
            self.assertEqual(status, 2, script)
            self.assertIn('there is no CPU "z80"; there are a57, ', output, script)

    def test_make(self):
        """make run refuses an unknown CPU or page size before it builds anything."""
        box = Sandbox()
        self.addCleanup(box.close)
        for words, error in ((['CPU=z80'], 'there is no CPU "z80"'),
                             (['PAGE=8'], 'no host is built with pages of "8" KiB'),
                             (['PAGE=16', 'CPU=a57'], 'CPU a57 has no pages of 16 KiB')):
            status, output = box.run('make', '-C', TOP, 'run', *words)
            self.assertNotEqual(status, 0)
            self.assertIn(error, output)
            self.assertNotIn('TREE', output)
            self.assertNotIn('HOST', output)


class Ground(unittest.TestCase):
    """ground.py refuses what QEMU cannot run, before anything is built."""

    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)

    def ground(self, *arguments, machines='virt', models='cortex-a57 cortex-a76'):
        self.box.write('qemu', MADE_UP.format(machines=machines, models=models))
        os.chmod(self.box.path('qemu'), 0o755)
        return self.box.run('scripts/pkvm/ground.py', *arguments,
                            env={'QEMU': self.box.path('qemu')})

    def test_good(self):
        self.assertEqual(self.ground(), (0, ''))
        self.assertEqual(self.ground('--cpu', 'a76', '--page', '16'), (0, ''))
        self.assertEqual(self.ground('--page', '16'), (0, ''))

    def refused(self, words, *arguments, **more):
        status, output = self.ground(*arguments, **more)
        self.assertNotEqual(status, 0)
        self.assertIn(words, output)
        self.assertNotIn('Traceback', output)

    def test_no_board(self):
        self.refused('knows no -M virt', machines='virt-10.0 raspi3b')

    def test_no_such_cpu(self):
        self.refused('knows no -cpu neoverse-n2', '--cpu', 'n2')

    def test_no_such_page(self):
        self.refused('no host is built with pages of "8" KiB; the sizes are 4, 16', '--page', '8')

    def test_cpu_without_page(self):
        for option in '--page', '--guest-page':
            self.refused('CPU a57 has no pages of 16 KiB; these CPUs have: a76, ', option, '16',
                         '--cpu', 'a57')

    def test_no_qemu(self):
        status, output = self.box.run('scripts/pkvm/ground.py', env={'QEMU': '/nonexistent'})
        self.assertEqual(status, 1)
        self.assertIn('/nonexistent cannot be run', output)
