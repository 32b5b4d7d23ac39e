# SPDX-License-Identifier: GPL-2.0-only
"""scripts/pkvm/console.py: an answer is what the shell printed, and no echo."""

import unittest

import console


class FakeShell:
    """A shell that echoes what is typed, as a terminal does, and answers by a table."""

    def __init__(self, table):
        self.table = table

    def answer(self, typed):
        """What the console shows after this was typed."""
        text = typed
        for command in typed.strip().split('; '):
            if command.startswith('echo ='):
                text += command.removeprefix('echo ').replace('$?', str(self.status)) + '\n'
            else:
                self.status, output = self.table[command]
                text += output
        return text + 'guest# '

    status = 0


def talk(shell, fake, start='boot\nguest# '):
    """Let the two talk to the end; all that was typed."""
    typed, text = [], start
    while keys := shell.said(text):
        typed.append(keys)
        if shell.over():
            break
        text = fake.answer(keys)
    return typed


class Dialog(unittest.TestCase):
    """Statuses and output belong to the command that made them."""

    def test_answers(self):
        shell = console.Shell(['nproc', 'false', 'cat x'])
        typed = talk(shell, FakeShell({'nproc': (0, '4\n'), 'false': (1, ''),
                                       'cat x': (0, 'a\nguest# in a line\nb\n')}))
        self.assertEqual([(a.status, a.output) for a in shell.answers],
                         [(0, '4'), (1, ''), (0, 'a\nguest# in a line\nb')])
        self.assertEqual(typed[-1], 'poweroff\n')
        self.assertTrue(shell.over())

    def test_byte_by_byte(self):
        """Output comes in any pieces; nothing is typed before the prompt is whole."""
        shell = console.Shell(['nproc'])
        self.assertEqual([shell.said(char) for char in 'x\nguest#'], [None] * 8)
        keys = shell.said(' ')
        self.assertIn('nproc', keys)
        text = FakeShell({'nproc': (0, '2\n')}).answer(keys)
        self.assertEqual({shell.said(char) for char in text[:-1]}, {None})
        self.assertEqual(shell.said(text[-1]), 'poweroff\n')
        self.assertEqual(shell.answers[0].output, '2')

    def test_echo_is_no_answer(self):
        """A console that only echoes, prompt and all, answers nothing."""
        shell = console.Shell(['nproc'])
        keys = shell.said('\nguest# ')
        self.assertIsNone(shell.said(keys + '\nguest# '))
        self.assertIsNone(shell.answers[0].status)

    def test_line_editor(self):
        """What a line editor asks its terminal does not hide the prompt."""
        shell = console.Shell(['nproc'])
        self.assertIsNotNone(shell.said('\nguest# \x1b[6n'))

    def test_next_guest(self):
        """The last prompt of one guest is not taken for the first of the next."""
        first, second = console.Shell([], 'reboot'), console.Shell(['nproc'], after='@@ start 2')
        both = console.Shells(first, second)
        self.assertEqual(both.said('\nguest# '), 'reboot\n')
        self.assertIsNone(both.said('reboot\nguest# '))
        self.assertIsNone(both.said('\n@@ start 2 x\nbooting'))
        self.assertIn('nproc', both.said('\nguest# '))
