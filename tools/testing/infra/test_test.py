# SPDX-License-Identifier: GPL-2.0-only
"""Test scripts/pkvm/test.py: a test that failed, crashed or did not run is not taken for passed."""

import os
import re
import signal
import unittest

import test
from sandbox import Sandbox


class Aggregate(unittest.TestCase):
    def setUp(self):
        self.box = Sandbox()
        self.addCleanup(self.box.close)
        self.builds, self.limit = '@true', 5

    def run_all(self, *parts):
        """Run test.py with parts (name, command, more fields). Return (status, output)."""
        os.makedirs(self.box.path('build'), exist_ok=True)
        self.box.write('Makefile', f'test-builds:\n\t{self.builds}\n')
        self.box.write('driver.py', f'''
import sys
sys.path.insert(0, "scripts/pkvm")
import test
test.parts = lambda jobs, long: [
    test.Part("1 native", name, [command], **dict(dict(takes=1, limit={self.limit}), **more))
    for name, command, more in {parts!r}]
sys.argv = ["test.py"]
sys.exit(test.main())
''')
        return self.box.run('/usr/bin/python3', 'driver.py')

    def script(self, name, text, **more):
        """Return a part that runs a shell script."""
        self.box.write(name, f'#!/bin/bash\n{text}\n')
        os.chmod(self.box.path(name), 0o755)
        return name, f'./{name}', more

    def run_parts(self, *scripts):
        """Run test.py with shell scripts as its parts, in this order and one at a time."""
        return self.run_all(*(self.script(f'part{number}', script, takes=-number, writes='x')
                              for number, script in enumerate(scripts)))

    def verdict(self, *scripts):
        """Return (passed, failed, skipped, status), the first two from the last line."""
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
        """One failure makes test.py fail, but the remaining parts still run."""
        self.assertEqual(self.verdict('echo "not ok 1 - a"; exit 1', 'echo "ok 1 c"'),
                         (1, 1, 0, 1))

    def test_failures_are_listed(self):
        """What has failed is listed at the end, where a long log still shows it."""
        _, output = self.run_parts('echo "not ok 1 - one.two # why"; echo "ok 2 - three"',
                                   'echo "ok 1"; kill -SEGV $$')
        listed = re.findall(r'^# failed: (.*)$', output, re.M)
        self.assertEqual(listed, ['part0: one.two',
                                  f'part1: it ended with status {-signal.SIGSEGV}'])
        self.assertLess(output.index('all parts\n'), output.index('# failed: '))

    def test_failure_with_good_status(self):
        """A part that reports a failure has failed, even if it exits with 0."""
        self.assertEqual(self.verdict('echo "ok 1"; echo "not ok 2"'), (1, 1, 0, 1))

    def test_skip(self):
        """A skipped test counts neither as passed nor as failed."""
        self.assertEqual(self.verdict('echo "ok 1 a"; echo "ok 2 b # SKIP no such CPU"'),
                         (1, 0, 1, 0))

    def test_all_skipped(self):
        """If all tests were skipped, test.py fails."""
        self.assertEqual(self.verdict('echo "ok 1 # SKIP"')[3], 1)

    def test_crash(self):
        """A part that crashes without a failed result counts as one failure."""
        self.assertEqual(self.verdict('echo "ok 1"; kill -SEGV $$'), (1, 1, 0, 1))

    def test_silence(self):
        """A part that reports no result has failed, whatever its exit status."""
        self.assertEqual(self.verdict('true'), (0, 1, 0, 1))

    def test_plan_not_met(self):
        """A part that reports fewer results than planned has failed."""
        self.assertEqual(self.verdict('echo 1..3; echo "ok 1"; echo "ok 2"'), (2, 1, 0, 1))

    def test_plan_of_one_stream_not_met(self):
        """Each plan is compared with its own results, which may come before or after it."""
        self.assertEqual(self.verdict('echo 1..2; echo "ok 1"; echo 1..1; echo "ok 1"'),
                         (2, 1, 0, 1))
        self.assertEqual(self.verdict('echo "ok 1"; echo "ok 2"; echo 1..2'), (2, 0, 0, 0))

    def test_time_limit(self):
        """A part that hangs is killed at its time limit, and counts as a failure."""
        status, output = self.run_parts('echo "ok 1"; exec sleep 60')
        self.assertEqual(status, 1)
        self.assertIn('did not end within 5 s', output)

    def test_missing_part(self):
        """A part whose command does not exist counts as a failure."""
        status, output = self.run_all(('gone', './gone', {}))
        self.assertEqual(status, 1)
        self.assertIn('not ok gone', output)

    def test_two_at_a_time(self):
        """Two parts run at a time: here each waits for the other."""
        def meet(mine, other):
            return f'touch {mine}; until [ -e {other} ]; do sleep 0.1; done; echo "ok {mine}"'
        status, output = self.run_all(self.script('left', meet('here', 'there')),
                                      self.script('right', meet('there', 'here')),
                                      self.script('bad', 'echo "not ok c"'))
        self.assertEqual(status, 1)
        self.assertTrue(output.endswith('\n2 passed, 1 failed\n'), output)

    def order(self, *parts):
        """Run parts (name, seconds, fields). Return "+name" and "-name" as they start and end."""
        parts = [self.script(name, f'echo "+{name}" >>order; sleep {seconds}; '
                             f'echo "-{name}" >>order; echo "ok 1"', **more)
                 for name, seconds, more in parts]
        status, output = self.run_all(*parts)
        self.assertEqual(status, 0, output)
        return self.box.read('order').split()

    def test_longest_first(self):
        """The longest parts start first, so that no processor waits for one of them at the end."""
        order = self.order(('short', 0, {'takes': 1}), ('middle', 0, {'takes': 20}),
                           ('long', 2, {'takes': 300}))
        self.assertEqual(set(order[:2]) & {'+short'}, set())
        self.assertEqual(order[-1], '-long')

    def test_same_place(self):
        """Parts that write to one directory never run together; others run beside them."""
        order = self.order(('one', 1, {'takes': 30, 'writes': 'place'}),
                           ('two', 1, {'takes': 20, 'writes': 'place'}),
                           ('other', 0.5, {'takes': 10}))
        places = [line for line in order if line[1:] != 'other']
        self.assertEqual(places, ['+one', '-one', '+two', '-two'])
        self.assertLess(order.index('+other'), order.index('-one'))

    def test_place_is_free_after_a_crash(self):
        """After a part has crashed, other parts that write to its directory run."""
        status, output = self.run_parts('kill -SEGV $$', 'echo "ok 1"')
        self.assertEqual(status, 1)
        self.assertTrue(output.endswith('\n1 passed, 2 failed\n'), output)

    def test_every_part_is_known(self):
        """Names of parts are unique, since logs are named after them, and the same with --long."""
        names = [part.name for part in test.parts('1')]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(names, [part.name for part in test.parts('1', True)])

    def test_objects_of_a_program(self):
        """Parts that build a program in a directory below build/ have it in their field writes."""
        for part in test.parts('1'):
            for word in part.command:
                if word.startswith('O='):
                    self.assertEqual(part.writes, os.path.basename(word), part.name)

    def test_builds_come_first(self):
        """If the builds fail, test.py fails and runs no part."""
        self.builds = '@false'
        status, output = self.run_parts('touch ran; echo "ok 1"')
        self.assertEqual(status, 1)
        self.assertIn('not ok builds', output)
        self.assertTrue(output.endswith('\n0 passed, 1 failed\n'), output)
        self.assertFalse(os.path.exists(self.box.path('ran')))

    def test_times(self):
        """The CPU time of each part and its children is printed, the longest first."""
        self.limit = 100
        burn = 'python3 -c "import time\nwhile time.process_time() < 1: pass"; echo "ok 1"'
        status, output = self.run_parts('sleep 1; echo "ok 1"', burn)
        self.assertEqual(status, 0)
        times = re.findall(r'^# +(\d+) +(\d+)  (part\d)$', output, re.M)
        self.assertEqual([name for _, _, name in times], ['part1', 'part0'])
        self.assertGreaterEqual(int(times[0][0]), 1)
        self.assertEqual(int(times[1][0]), 0)
        self.assertGreaterEqual(int(times[1][1]), 1)
