# SPDX-License-Identifier: GPL-2.0-only
"""A dialog with a shell on a console: what is typed, and what it answered.

Each command is typed when the prompt stands there, between two marks that only
the shell can print: an answer is never the echo of the question.
"""

import dataclasses
import re

# The prompt of tools/testing/guest/profile.
PROMPT = 'guest# '
START = '=go='
END = re.compile(r'^=(\d+)=$', re.M)
# What a line editor says to a terminal.
ESCAPE = re.compile(r'\x1b\[[0-9;?]*[A-Za-z]')


@dataclasses.dataclass
class Answer:
    """What a command printed, and its status; None if it did not come back."""
    command: str
    status: int = None
    output: str = ''


class Shell:
    """Types commands one after the other, then one that ends the guest.

    With after, nothing is typed before the console has shown that text: a shell
    that is about to end shows its prompt once more.
    """

    def __init__(self, commands, last='poweroff', after=None):
        self.answers = []
        self.waiting = list(commands)
        self.last = last
        self.after = after
        self.text = ''

    def over(self):
        """Whether everything has been typed."""
        return self.last is None

    def take_answer(self):
        """Complete the last answer; False if it is not there yet."""
        answer = self.answers[-1]
        _, started, rest = self.text.partition(f'\n{START}\n')
        end = END.search(rest)
        if not started or not end:
            return False
        answer.status, answer.output = int(end.group(1)), rest[:end.start()].strip('\n')
        return True

    def said(self, text):
        """Take output; return what to type now, None if nothing."""
        self.text = ESCAPE.sub('', self.text + text)
        if self.after:
            _, found, rest = self.text.partition(self.after)
            if not found:
                return None
            self.after, self.text = None, rest
        if self.over() or not self.text.endswith('\n' + PROMPT):
            return None
        if self.answers and self.answers[-1].status is None and not self.take_answer():
            return None
        self.text = ''
        if not self.waiting:
            last, self.last = self.last, None
            return f'{last}\n'
        command = self.waiting.pop(0)
        self.answers.append(Answer(command))
        return f'echo {START}; {command}; echo =$?=\n'


class Shells:
    """Shells one after the other on one console."""

    def __init__(self, *shells):
        self.shells = list(shells)

    def said(self, text):
        """As Shell.said(), for the first shell that is not over."""
        for shell in self.shells:
            if not shell.over():
                return shell.said(text)
        return None
