# SPDX-License-Identifier: GPL-2.0-only
"""The console of a machine that a program models, and dialogs with a shell on it.

The program runs on a terminal of its own, by pexpect. Whoever reads the console sees it
end in one way, whatever ended it: a program that is over, a panic, or a time limit.
"""

import contextlib
import dataclasses
import re
import signal
import sys
import time

import pexpect

PANIC = re.compile(r'(HYP panic|Kernel panic - not syncing|Unable to handle kernel '
                   r'|Internal error: Oops|BUG: |WARNING: CPU)[^\r\n]*')
# After one of these nothing good follows.
FATAL = rb'(?:HYP panic|Kernel panic - not syncing)[^\r\n]*[\r\n]'
# How long a host that has panicked may go on to say why, in seconds.
LAST_WORDS = 3
# What is read at a time, and how far back a pattern may begin.
READ, LOOK_BACK = 4096, 8192
# The key that ends a run at the terminal: Ctrl-].
LEAVE = '\x1d'
LEFT = 'the run was ended at the terminal'

# The prompt of tools/testing/guest/profile, behind what a line editor says to a terminal.
PROMPT = rb'\n(?:\x1b\[[0-9;?]*[A-Za-z])*guest# (?:\x1b\[[0-9;?]*[A-Za-z])*'
# Around what a command prints. Only the shell prints a line that is one of them: what is
# typed, and echoed, is longer.
START, START_LINE = '=go=', rb'\n=go=(?=\r*\n)'
END_LINE = rb'\n=(\d+)=(?=\r*\n)'


class Ended(Exception):
    """The console has come to its end. The cause is None if the program ended by itself."""

    def __init__(self, cause=None):
        super().__init__(cause)
        self.cause = cause


class Console:
    """The console of the program with these arguments, for so many seconds at most.

    Raises OSError if it does not start. As a context, it leaves no process behind.
    """

    def __init__(self, args, limit, echo=False):
        self.limit = limit
        self.end = time.monotonic() + limit
        self.echo = echo
        self.seen = []
        try:
            self.child = pexpect.spawn(args[0], args[1:], timeout=None, maxread=READ,
                                       searchwindowsize=LOOK_BACK, echo=False)
        except pexpect.ExceptionPexpect as error:
            raise OSError(str(error)) from None
        self.child.delaybeforesend = None
        self.child.logfile_read = self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.child.kill(signal.SIGKILL)
        self.child.close(force=True)

    def write(self, data):
        """Keep what has been read, as pexpect wants a log to do."""
        self.seen.append(data)
        if self.echo:
            sys.stdout.buffer.write(data)

    def flush(self):
        """The other half of a log."""
        if self.echo:
            sys.stdout.flush()

    def text(self):
        """All that the console has shown."""
        return b''.join(self.seen).decode(errors='replace').replace('\r', '')

    def expect(self, pattern):
        """Wait for a pattern, of bytes: its match, and what came before it as text.

        Raises Ended if the console ends before.
        """
        child = self.child
        try:
            which = child.expect([pattern, FATAL], timeout=max(0, self.end - time.monotonic()))
        except pexpect.EOF:
            raise Ended from None
        except pexpect.TIMEOUT:
            raise Ended(f'the host did not end within {self.limit} s') from None
        if which:
            cause = child.after.decode(errors='replace').strip()
            child.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=LAST_WORDS)
            raise Ended(cause)
        return child.match, child.before.decode(errors='replace').replace('\r', '')

    def type(self, line):
        """Type a line."""
        # A program that has ended takes none: what it printed says why.
        with contextlib.suppress(OSError):
            self.child.send(line + '\n')

    def hand_over(self):
        """Let whoever sits at our terminal type, until the program ends or Ctrl-] is typed."""
        # It shows what it reads by itself.
        self.echo = False
        self.child.interact(escape_character=LEAVE)
        self.echo = True
        if self.child.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=1):
            raise Ended(LEFT)
        raise Ended

    def follow(self, dialog=None, terminal=False):
        """Let a dialog talk, or our terminal; read on to the end: its cause.

        dialog is called with the console.
        """
        try:
            if dialog:
                dialog(self)
            if terminal:
                self.hand_over()
            # Nothing matches.
            self.expect(rb'(?!)')
        except Ended as ended:
            return ended.cause
        return None


@dataclasses.dataclass
class Answer:
    """What a command printed, and its status; None if it did not come back."""
    command: str
    status: int = None
    output: str = ''


class Shell:
    """A dialog: types commands one after the other, then one that ends the guest.

    With after, nothing is typed before the console has shown that text: a shell
    that is about to end shows its prompt once more.
    """

    def __init__(self, commands, last='poweroff', after=None):
        self.answers = []
        self.waiting = list(commands)
        self.last = last
        self.after = after

    def __call__(self, console):
        if self.after:
            console.expect(re.escape(self.after).encode())
        console.expect(PROMPT)
        while self.waiting:
            answer = Answer(self.waiting.pop(0))
            self.answers.append(answer)
            console.type(f'echo {START}; {answer.command}; echo =$?=')
            console.expect(START_LINE)
            end, output = console.expect(END_LINE)
            answer.status, answer.output = int(end.group(1)), output.strip('\n')
            console.expect(PROMPT)
        console.type(self.last)
