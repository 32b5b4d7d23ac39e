# SPDX-License-Identifier: GPL-2.0-only
"""Run a program that models a machine, read its console, and type commands into a shell on it.

pexpect runs the program on a terminal of its own. Whatever ends the console, be it the end of the
program, a panic or the time limit, its reader gets the exception Ended.
"""

import contextlib
import ctypes
import dataclasses
import re
import signal
import sys
import time

import pexpect

PANIC = re.compile(r'(HYP panic|Kernel panic - not syncing|Unable to handle kernel '
                   r'|Internal error: Oops|BUG: |WARNING: CPU)[^\r\n]*')
# After one of these messages the host does nothing useful any more.
FATAL = rb'(?:HYP panic|Kernel panic - not syncing)[^\r\n]*[\r\n]'
# The time in seconds that a host has after a panic to print the reason.
LAST_WORDS = 3
# How many bytes are read at a time, and how many bytes back a pattern may begin.
READ, LOOK_BACK = 4096, 8192
# The key that ends a run at the terminal: Ctrl-].
LEAVE = '\x1d'
LEFT = 'the run was ended at the terminal'

# The prompt of tools/testing/guest/profile, with escape sequences of a line editor around it.
PROMPT = rb'\n(?:\x1b\[[0-9;?]*[A-Za-z])*guest# (?:\x1b\[[0-9;?]*[A-Za-z])*'
# Marks that the shell prints before and after the output of a command. The echo of the typed line
# contains them, too, but never alone in a line.
START, START_LINE = '=go=', rb'\n=go=(?=\r*\n)'
END_LINE = rb'\n=(\d+)=(?=\r*\n)'


# prctl(): the signal that a process gets when its parent has died.
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def die_with_parent():
    """Have the kernel kill this process when the script dies, also by SIGKILL."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Ended(Exception):
    """The console has ended. The cause is None if the program ended by itself."""

    def __init__(self, cause=None):
        super().__init__(cause)
        self.cause = cause


class Console:
    """The console of a program, with its arguments and a time limit in seconds.

    Raises OSError if the program does not start. As a context manager it kills the program.
    """

    def __init__(self, args, limit, echo=False):
        self.limit = limit
        self.end = time.monotonic() + limit
        self.echo = echo
        self.seen = []
        try:
            self.child = pexpect.spawn(args[0], args[1:], timeout=None, maxread=READ,
                                       searchwindowsize=LOOK_BACK, echo=False,
                                       preexec_fn=die_with_parent)
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
        """Record output, as the log of pexpect."""
        self.seen.append(data)
        if self.echo:
            sys.stdout.buffer.write(data)

    def flush(self):
        """Flush the echo, as the log of pexpect."""
        if self.echo:
            sys.stdout.flush()

    def text(self):
        """Return all output of the console so far."""
        return b''.join(self.seen).decode(errors='replace').replace('\r', '')

    def expect(self, pattern):
        """Wait for a pattern of bytes. Return its match, and the text before it.

        Raises Ended if the console ends first.
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
        # If the program has ended, its output says why.
        with contextlib.suppress(OSError):
            self.child.send(line + '\n')

    def hand_over(self):
        """Connect our terminal, until the program ends or the user types Ctrl-]."""
        # interact() prints the output itself.
        self.echo = False
        self.child.interact(escape_character=LEAVE)
        self.echo = True
        if self.child.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=1):
            raise Ended(LEFT)
        raise Ended

    def follow(self, dialog=None, terminal=False):
        """Run a dialog, or connect our terminal, then read to the end. Return the cause.

        dialog is called with this console as its argument.
        """
        try:
            if dialog:
                dialog(self)
            if terminal:
                self.hand_over()
            # This pattern never matches.
            self.expect(rb'(?!)')
        except Ended as ended:
            return ended.cause
        return None


@dataclasses.dataclass
class Answer:
    """A command, its exit status, which is None if it did not end, and its output."""
    command: str
    status: int = None
    output: str = ''


class Shell:
    """A dialog that types commands one after the other, then a last one that ends the guest.

    With after, nothing is typed before the console has shown that text. The second guest on a
    console needs this, since the shell of the first one shows its prompt once more before it ends.
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
