# SPDX-License-Identifier: GPL-2.0-only
"""scripts/pkvm/test.py: what failed, crashed or was left out never looks passed."""

import os
import re
import unittest

import test
from sandbox import Sandbox


class Aggregate(unittest.TestCase):
    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)
        self.builds, self.limit = '@true', 5

    def run_lanes(self, *lanes):
        """Run test.py with lanes of commands as its parts: (status, output)."""
        os.makedirs(self.box.path('build'), exist_ok=True)
        self.box.write('Makefile', f'test-builds:\n\t{self.builds}\n')
        self.box.write('driver.py', f'''
import sys
sys.path.insert(0, "scripts/pkvm")
import test
test.lanes = lambda jobs, long: [[test.Part("1 native", name, [command], {self.limit})
                                  for name, command in lane] for lane in {lanes!r}]
sys.argv = ["test.py"]
sys.exit(test.main())
''')
        return self.box.run('/usr/bin/python3', 'driver.py')

    def script(self, name, text):
        """A part that is a shell script."""
        self.box.write(name, f'#!/bin/bash\n{text}\n')
        os.chmod(self.box.path(name), 0o755)
        return name, f'./{name}'

    def run_parts(self, *scripts):
        """Run test.py with shell scripts as its parts, in one lane."""
        return self.run_lanes([self.script(f'part{number}', script)
                               for number, script in enumerate(scripts)])

    def verdict(self, *scripts):
        """(passed, failed, skipped, status): the first two from the last line alone."""
        status, output = self.run_parts(*scripts)
        skipped, last = output.rstrip('\n').split('\n')[-2:]
        found = re.fullmatch(r'(\d+) passed, (\d+) failed', last)
        self.assertTrue(found, output)
        skipped = re.fullmatch(r'# all parts: (\d+) skipped', skipped)
        self.assertTrue(skipped, output)
        return (*(int(number) for number in found.groups() + skipped.groups()), status)

    def test_sum(self):
        """The results of all parts are added up."""
        self.assertEqual(self.verdict('echo "ok 1 - a"; echo "ok b"', 'echo "ok 1 c"'),
                         (3, 0, 0, 0))

    def test_failure(self):
        """One failure fails the whole, and the parts behind it still run."""
        self.assertEqual(self.verdict('echo "not ok 1 - a"; exit 1', 'echo "ok 1 c"'),
                         (1, 1, 0, 1))

    def test_failure_with_good_status(self):
        """A part that tells a failure and exits 0 has failed."""
        self.assertEqual(self.verdict('echo "ok 1"; echo "not ok 2"'), (1, 1, 0, 1))

    def test_skip(self):
        self.assertEqual(self.verdict('echo "ok 1 a"; echo "ok 2 b # SKIP no such CPU"'),
                         (1, 0, 1, 0))

    def test_all_skipped(self):
        """Nothing passed is no success."""
        self.assertEqual(self.verdict('echo "ok 1 # SKIP"')[3], 1)

    def test_crash(self):
        """A bad end without a failed result is a failure."""
        self.assertEqual(self.verdict('echo "ok 1"; kill -SEGV $$'), (1, 1, 0, 1))

    def test_silence(self):
        """A part that tells no result has failed, whatever its status."""
        self.assertEqual(self.verdict('true'), (0, 1, 0, 1))

    def test_plan_not_met(self):
        """Fewer results than planned: something stopped half way."""
        self.assertEqual(self.verdict('echo 1..3; echo "ok 1"; echo "ok 2"'), (2, 1, 0, 1))

    def test_plan_of_one_stream_not_met(self):
        """Each plan is held against its own results, in front or behind."""
        self.assertEqual(self.verdict('echo 1..2; echo "ok 1"; echo 1..1; echo "ok 1"'),
                         (2, 1, 0, 1))
        self.assertEqual(self.verdict('echo "ok 1"; echo "ok 2"; echo 1..2'), (2, 0, 0, 0))

    def test_time_limit(self):
        """A part that hangs is ended and counted."""
        status, output = self.run_parts('echo "ok 1"; exec sleep 60')
        self.assertEqual(status, 1)
        self.assertIn('did not end within 5 s', output)

    def test_missing_part(self):
        """A listed part that is not there is a failure, not a skip."""
        status, output = self.run_lanes([('gone', './gone')])
        self.assertEqual(status, 1)
        self.assertIn('not ok gone', output)

    def test_lanes(self):
        """Two lanes run at a time, and both count: each part here waits for the other."""
        def meet(mine, other):
            return f'touch {mine}; until [ -e {other} ]; do sleep 0.1; done; echo "ok {mine}"'
        status, output = self.run_lanes([self.script('left', meet('here', 'there'))],
                                        [self.script('right', meet('there', 'here')),
                                         self.script('bad', 'echo "not ok c"')])
        self.assertEqual(status, 1)
        self.assertTrue(output.endswith('\n2 passed, 1 failed\n'), output)

    def test_every_part_is_known(self):
        """Names are unique, for logs and counts are by name; the long run has the same."""
        names = [part.name for lane in test.lanes('1') for part in lane]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(names, [part.name for lane in test.lanes('1', True) for part in lane])

    def test_builds_come_first(self):
        """What does not build fails the run before a part has run."""
        self.builds = '@false'
        status, output = self.run_parts('touch ran; echo "ok 1"')
        self.assertEqual(status, 1)
        self.assertIn('not ok builds', output)
        self.assertTrue(output.endswith('\n0 passed, 1 failed\n'), output)
        self.assertFalse(os.path.exists(self.box.path('ran')))

    def test_times(self):
        """Each part's seconds of CPU are told, its children's too, the longest first."""
        self.limit = 100
        burn = 'python3 -c "import time\nwhile time.process_time() < 1: pass"; echo "ok 1"'
        status, output = self.run_parts('sleep 1; echo "ok 1"', burn)
        self.assertEqual(status, 0)
        told = re.findall(r'^# +(\d+) +(\d+)  (part\d)$', output, re.M)
        self.assertEqual([name for _, _, name in told], ['part1', 'part0'])
        self.assertGreaterEqual(int(told[0][0]), 1)
        self.assertEqual(int(told[1][0]), 0)
        self.assertGreaterEqual(int(told[1][1]), 1)
