# SPDX-License-Identifier: GPL-2.0-only
"""Test scripts/pkvm/console.py: an answer is what the shell printed, not the console's echo."""

import os
import unittest

import console
from sandbox import Sandbox

# A made-up guest with a shell, which echoes what is typed, as a terminal does, and executes it. Its
# line editor sends escape sequences, and lines end with several carriage returns, since they pass
# through several terminals.
GUEST = r"""#!/bin/bash
echo()
{
	builtin echo "$@"$'\r'
}
shell()
{
	while printf '\n\x1b[Jguest# \x1b[6n'; IFS= read -r line; do
		case $line in
		poweroff|reboot) echo "$line"; return ;;
		esac
		echo "$line"
		%s "$line"
	done
}
number=1
echo boot; shell
echo "@@ start 2"; number=2; shell
"""


class Dialog(unittest.TestCase):
    """Each answer has the status and the output of its command."""

    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)

    def talk(self, *shells, does='eval', limit=30):
        """Run shells on the guest's console, one after the other. Return the cause."""
        self.box.write('guest', GUEST % does)
        os.chmod(self.box.path('guest'), 0o755)

        def all_of_them(machine):
            for shell in shells:
                shell(machine)
        with console.Console([self.box.path('guest')], limit) as machine:
            return machine.follow(all_of_them)

    def test_answers(self):
        """Output that contains the prompt, or is long, does not end an answer early."""
        shell = console.Shell(['echo 4', 'false', "printf 'a\\nguest# in a line\\nb\\n'",
                               'seq 3000'])
        self.assertIsNone(self.talk(shell, console.Shell([])))
        self.assertEqual([(a.status, a.output) for a in shell.answers],
                         [(0, '4'), (1, ''), (0, 'a\nguest# in a line\nb'),
                          (0, '\n'.join(map(str, range(1, 3001))))])
        self.assertEqual(shell.waiting, [])

    def test_byte_by_byte(self):
        """Output may come in any pieces; nothing is typed before the prompt is complete."""
        shell = console.Shell(["for c in a b '' c; do printf \"$c\"; sleep 0.1; done; echo"])
        self.talk(shell)
        self.assertEqual([(a.status, a.output) for a in shell.answers], [(0, 'abc')])

    def test_echo_is_no_answer(self):
        """A console that only echoes and shows prompts gives no answer."""
        shell = console.Shell(['nproc', 'id'])
        self.assertEqual(self.talk(shell, does=':', limit=1), 'the host did not end within 1 s')
        self.assertEqual([(a.command, a.status) for a in shell.answers], [('nproc', None)])
        self.assertEqual(shell.waiting, ['id'])

    def test_next_guest(self):
        """The last prompt of one guest is not taken for the first one of the next guest."""
        first = console.Shell(['echo $number'], 'reboot')
        second = console.Shell(['echo $number'], after='@@ start 2')
        self.assertIsNone(self.talk(first, second))
        self.assertEqual([first.answers[0].output, second.answers[0].output], ['1', '2'])

    def test_ends_early(self):
        """A command during which the guest ends has no answer."""
        shell = console.Shell(['exit 3', 'id'])
        self.assertIsNone(self.talk(shell))
        self.assertIsNone(shell.answers[0].status)
        self.assertEqual(shell.waiting, ['id'])

    def test_does_not_start(self):
        with self.assertRaisesRegex(OSError, '/nonexistent'):
            console.Console(['/nonexistent'], 1)
