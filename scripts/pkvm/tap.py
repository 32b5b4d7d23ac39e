# SPDX-License-Identifier: GPL-2.0-only
"""TAP and KTAP, read in one place.

Our programs and scripts report in TAP: "ok", "not ok", a plan "1..N", "# SKIP". The suites of a
module report KTAP in the kernel's log: a case is a result one level further in than its suite.
"""

import dataclasses
import re

RESULT = re.compile(r'^(?P<indent> *)(?P<failed>not )?ok\b(?: (?P<number>\d+))?(?: -)? ?'
                    r'(?P<name>[^#]*?)\s*(?:#\s*(?P<why>.*))?$')
PLAN = re.compile(r'^1\.\.(\d+)\b')
SKIP = re.compile(r'SKIP\b', re.I)
# What stands before each line of a kernel's log.
STAMP = re.compile(r'^\[ *\d+\.\d+\] ')
LEVEL = 4


@dataclasses.dataclass(frozen=True)
class Result:
    """One result: its name, whether it failed or was skipped, what stands behind "#", its level."""
    name: str
    failed: bool = False
    skipped: bool = False
    why: str = ''
    level: int = 0


def result(line):
    """The Result in a line, None if there is none. What is skipped has not failed."""
    found = RESULT.match(line)
    if not found:
        return None
    why = found['why'] or ''
    skipped = bool(SKIP.match(why))
    return Result(found['name'], bool(found['failed']) and not skipped, skipped, why,
                  len(found['indent']) // LEVEL)


def plan(line):
    """How many results a line announces, None if it announces none."""
    found = PLAN.match(line)
    return int(found.group(1)) if found else None


class Count:
    """What a stream of TAP adds up to; each plan is held against its own results."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.planned = None
        self.results = 0
        self.broken = []

    def close_plan(self):
        """Hold the results since the last plan against it."""
        if self.planned is not None and self.planned != self.results:
            self.broken.append(f'{self.planned} results planned, {self.results} reported')
        self.planned, self.results = None, 0

    def line(self, text):
        """Take one line of output; the Result in it, if any."""
        # What is further in belongs to a result that follows.
        if text.startswith(' '):
            return None
        announced = plan(text)
        if announced is not None:
            # A plan may also stand at the end of its results.
            if self.planned is None and self.results and self.results == announced:
                self.results = 0
            else:
                self.close_plan()
                self.planned, self.results = announced, 0
            return None
        found = result(text)
        if found:
            self.results += 1
            self.skipped += found.skipped
            self.failed += found.failed
            self.passed += not found.skipped and not found.failed
        return found

    def end(self, status):
        """The stream has ended: add a failure for each way in which it is broken."""
        self.close_plan()
        if not self.passed + self.failed + self.skipped:
            self.broken.append('it reported no result')
        if status and not self.failed:
            self.broken.append(f'it ended with status {status}')
        self.failed += len(self.broken)


def read(text):
    """(results, what is wrong with their plans) of one program's output."""
    count = Count()
    results = [found for found in map(count.line, text.split('\n')) if found]
    count.close_plan()
    return results, count.broken


def suites(log):
    """The KTAP of a kernel's log: a dictionary from suite to its result and its cases."""
    found, cases = {}, []
    for line in log.split('\n'):
        seen = result(STAMP.sub('', line))
        if seen and seen.level == 1:
            cases.append(seen)
        elif seen and not seen.level:
            found[seen.name] = (seen, cases)
            cases = []
    return found
