# SPDX-License-Identifier: GPL-2.0-only
"""Test scripts/pkvm/run_base.py: its list, and which results of a program are failures."""

import unittest

import cpus
import qemu
import run_base
import run_selftests


class List(unittest.TestCase):
    def test_lines(self):
        """A line has a program, where it has to pass, a time limit and arguments."""
        tests = run_base.parse('# none\n\na/b pass 30 -b 8M\nc pass:a57 5 # why\nx survive 7\n')
        self.assertEqual([test.name for test in tests], ['b', 'c', 'x'])
        self.assertEqual([test.on for test in tests], [tuple(cpus.CPUS), ('a57',), ()])
        self.assertEqual(tests[0].job('a57'), 'limit=30 /base/a/b -b 8M')

    def test_limits(self):
        """Where a test need not pass it is killed early."""
        test = run_base.parse('c pass:a57 180\n')[0]
        self.assertEqual(test.job('a57'), 'limit=180 /base/c')
        self.assertEqual(test.job('max'), f'limit={run_base.SURVIVE_LIMIT} /base/c')

    def test_bad_lines(self):
        """A malformed line is refused with its number."""
        for line in ('a', 'a pass', 'a fail 3', 'a pass x', 'a pass:z80 3', 'a survive:a57 3'):
            with self.assertRaisesRegex(run_selftests.SelftestError, ':2: '):
                run_base.parse(f'good pass 1\n{line}\n')

    def test_empty(self):
        """A list without tests is refused."""
        with self.assertRaises(run_selftests.SelftestError):
            run_base.parse('# nothing\n')

    def test_the_list(self):
        """The list of this tree can be read."""
        self.assertTrue(run_base.read_list())


class Verdict(unittest.TestCase):
    def verdict(self, kind, **job):
        """Return why a program with this result has failed, or None."""
        test = run_base.parse(f'program {kind} 5')[0]
        return run_base.verdict(test, 'a57', qemu.Job('program', **job))[0]

    def test_status(self):
        """An exit status matters only for a program that has to pass on this CPU."""
        self.assertIsNone(self.verdict('pass', status=0))
        self.assertIn('status 254', self.verdict('pass', status=254))
        self.assertIn('status 4', self.verdict('pass', status=4))
        self.assertIsNone(self.verdict('pass:max', status=254))
        self.assertIsNone(self.verdict('survive', status=254))

    def test_time(self):
        """A killed program has failed if it has to pass."""
        late = {'status': 137, 'timed_out': True}
        self.assertIn('killed', self.verdict('pass', **late))
        self.assertIsNone(self.verdict('survive', **late))

    def test_host_died(self):
        """A program that crashes the host has failed, whatever its kind."""
        for kind in ('pass', 'survive'):
            self.assertTrue(self.verdict(kind, output='going on'))

    def test_host_complained(self):
        """A program during which the host prints a warning has failed, whatever its kind."""
        for kind in ('pass', 'survive'):
            self.assertIn('WARNING', self.verdict(kind, status=0,
                                                  output='x\nWARNING: CPU: 1 PID: 2 at mm\n'))

    def test_kept(self):
        """Metadata pages that EL2 did not return, or never got, are reported."""
        lines = ('metadata_pages_donated {}\nmetadata_pages_returned {}\nvms_created 1\n'
                 'vms_destroyed 1\npages_donated 0\npages_reclaimed_private 0\n'
                 'pages_reclaimed_shared 0\npages_relinquished 0\n')
        for given, back, good in ((5, 5, True), (5, 4, False), (0, 0, False)):
            job = qemu.Job('cat', 0, lines.format(given, back))
            self.assertEqual(run_base.leaked(job) is None, good)
        self.assertTrue(run_base.leaked(qemu.Job('cat', 1, 'no such file')))
