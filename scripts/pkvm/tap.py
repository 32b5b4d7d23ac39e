# SPDX-License-Identifier: GPL-2.0-only
"""Read test results in the formats TAP and KTAP.

Our programs and scripts report in TAP: "ok", "not ok", a plan "1..N", "# SKIP". The suites of a
kernel module report in KTAP in the kernel's log, where the result of a case is indented by one
level more than that of its suite.
"""

import dataclasses
import re

RESULT = re.compile(r'^(?P<indent> *)(?P<failed>not )?ok\b(?: (?P<number>\d+))?(?: -)? ?'
                    r'(?P<name>[^#]*?)\s*(?:#\s*(?P<why>.*))?$')
PLAN = re.compile(r'^1\.\.(\d+)\b')
SKIP = re.compile(r'SKIP\b', re.I)
# The time stamp at the beginning of each line of a kernel log.
STAMP = re.compile(r'^\[ *\d+\.\d+\] ')
LEVEL = 4


@dataclasses.dataclass(frozen=True)
class Result:
    """One result: name, whether it failed or was skipped, the text after "#", indentation."""
    name: str
    failed: bool = False
    skipped: bool = False
    why: str = ''
    level: int = 0


def result(line):
    """Return the Result in a line, or None. A skipped test counts as not failed."""
    found = RESULT.match(line)
    if not found:
        return None
    why = found['why'] or ''
    skipped = bool(SKIP.match(why))
    return Result(found['name'], bool(found['failed']) and not skipped, skipped, why,
                  len(found['indent']) // LEVEL)


def plan(line):
    """Return the number of results that a line plans, or None if it is not a plan."""
    found = PLAN.match(line)
    return int(found.group(1)) if found else None


class Count:
    """Counts the results of a TAP stream, and compares each plan with the results after it."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.planned = None
        self.results = 0
        self.broken = []

    def close_plan(self):
        """Compare the last plan with the results since then."""
        if self.planned is not None and self.planned != self.results:
            self.broken.append(f'{self.planned} results planned, {self.results} reported')
        self.planned, self.results = None, 0

    def line(self, text):
        """Count one line of output. Return the Result in it, if any."""
        # Indented lines are details of a result that follows.
        if text.startswith(' '):
            return None
        announced = plan(text)
        if announced is not None:
            # A plan may also come after its results.
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
        """Finish the stream: add a failure for each way in which it is incomplete."""
        self.close_plan()
        if not self.passed + self.failed + self.skipped:
            self.broken.append('it reported no result')
        if status and not self.failed:
            self.broken.append(f'it ended with status {status}')
        self.failed += len(self.broken)


def read(text):
    """Return the results in a program's output, and the plans that do not match them."""
    count = Count()
    results = [found for found in map(count.line, text.split('\n')) if found]
    count.close_plan()
    return results, count.broken


def suites(log):
    """Return a dictionary from each suite in a kernel log to its result and its cases."""
    found, cases = {}, []
    for line in log.split('\n'):
        seen = result(STAMP.sub('', line))
        if seen and seen.level == 1:
            cases.append(seen)
        elif seen and not seen.level:
            found[seen.name] = (seen, cases)
            cases = []
    return found
