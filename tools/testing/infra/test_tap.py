# SPDX-License-Identifier: GPL-2.0-only
"""Test scripts/pkvm/tap.py: it finds every result, and nothing else."""

import unittest

import tap

LOG = '''[    1.000000] KTAP version 1
[    1.000001] 1..2
[    1.000002]     KTAP version 1
[    1.000003]     # Subtest: good
[    1.000004]     1..3
[    1.000005]     ok 1 one
[    1.000006]         ok 1 parameter of two
[    1.000007]     ok 2 two # SKIP no such memory
[    1.000008]     ok 3 three
[    1.000009] ok 1 good
[    1.000010]     ok 1 four
[    1.000011]     not ok 2 five
[    1.000012] not ok 2 bad
'''


class Line(unittest.TestCase):
    """Results and plans in single lines."""

    def test_results(self):
        """Name, failure and skip of a result are recognised in all their forms."""
        for line, name, failed, skipped in (
                ('ok', '', False, False), ('ok 1', '', False, False),
                ('ok 12 - name of it', 'name of it', False, False),
                ('not ok 2 name', 'name', True, False),
                ('ok a57.protected.x: name', 'a57.protected.x: name', False, False),
                ('ok 3 name # SKIP why', 'name', False, True),
                ('not ok 3 name #skip why', 'name', False, True),
                ('ok 3 # SKIP', '', False, True),
                ('not ok x # SKIPPED would be another word', 'x', True, False)):
            found = tap.result(line)
            self.assertEqual((found.name, found.failed, found.skipped), (name, failed, skipped),
                             line)

    def test_no_results(self):
        """Lines that only look similar are not results."""
        for line in ('okay', '# ok 1', 'notok 1', 'not 1', '1..3', '', 'Bail out!'):
            self.assertIsNone(tap.result(line), line)

    def test_plan(self):
        """Only "1..N" at the beginning of a line is a plan."""
        self.assertEqual([tap.plan(line) for line in ('1..7', '1..0 # SKIP x', '2..7', 'x 1..7')],
                         [7, 0, None, None])


class Stream(unittest.TestCase):
    """The output of one program."""

    def test_good(self):
        """Results and skips are returned, and nothing is wrong with the plan."""
        results, broken = tap.read('TAP version 13\n1..2\nok 1 a\n# words\nok 2 b # SKIP c\n')
        self.assertEqual([(result.name, result.skipped) for result in results],
                         [('a', False), ('b', True)])
        self.assertEqual(broken, [])

    def test_short(self):
        """Fewer or more results than planned are reported."""
        for text in ('1..3\nok 1\n', '1..1\nok 1\nok 2\n'):
            self.assertEqual(len(tap.read(text)[1]), 1, text)

    def test_nested(self):
        """Indented results are details of another result and do not count."""
        results, broken = tap.read('1..1\n    1..2\n    ok 1 x\n    not ok 2 y\nok 1 z\n')
        self.assertEqual(([result.name for result in results], broken), (['z'], []))


class Kernel(unittest.TestCase):
    """KTAP in a kernel log."""

    def test_suites(self):
        """Each suite has its cases; the parameters of a case are not cases."""
        suites = tap.suites(LOG)
        self.assertEqual({suite: [case.name for case in cases]
                          for suite, (_, cases) in suites.items()},
                         {'good': ['one', 'two', 'three'], 'bad': ['four', 'five']})
        self.assertEqual([suites[suite][0].failed for suite in ('good', 'bad')], [False, True])
        self.assertTrue(suites['good'][1][1].skipped)

    def test_nothing(self):
        """A log without KTAP has no suites."""
        self.assertEqual(tap.suites('[    1.0] insmod: no such file\n'), {})
