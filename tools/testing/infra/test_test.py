# SPDX-License-Identifier: GPL-2.0-only
"""scripts/pkvm/test.py: what failed, crashed or was left out never looks passed."""

import os
import re
import unittest

from sandbox import Sandbox


class Aggregate(unittest.TestCase):
    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)

    def run_parts(self, *scripts):
        """Run test.py with shell scripts as its parts: (status, output)."""
        parts = []
        for number, script in enumerate(scripts):
            self.box.write(f'part{number}', f'#!/bin/bash\n{script}\n')
            os.chmod(self.box.path(f'part{number}'), 0o755)
            parts.append(('1 native', f'part{number}', [f'./part{number}'], 5))
        self.box.write('driver.py', f'''
import sys
sys.path.insert(0, "scripts/pkvm")
import test
test.parts = lambda jobs: {parts!r}
sys.argv = ["test.py"]
sys.exit(test.main())
''')
        return self.box.run('/usr/bin/python3', 'driver.py')

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
        os.makedirs(self.box.path('build'), exist_ok=True)
        self.box.write('driver.py', '''
import sys
sys.path.insert(0, "scripts/pkvm")
import test
test.parts = lambda jobs: [("1 native", "gone", ["./gone"], 5)]
sys.argv = ["test.py"]
sys.exit(test.main())
''')
        status, output = self.box.run('/usr/bin/python3', 'driver.py')
        self.assertEqual(status, 1)
        self.assertIn('not ok gone', output)
