# SPDX-License-Identifier: GPL-2.0-only
"""Test scripts/pkvm/run_fuzz_host.py: what it makes of a sequence that goes wrong."""

import unittest

import run_fuzz_host
from run_fuzz_host import Outcome, Sequence

FOUND = Outcome(1700, 'ghost: page 0x48a31000 after pin (0): the pins is 0x3, not 0x2', 4)


class Hypervisor:
    """One that goes wrong in round 4, if a sequence makes all of some steps of it."""

    def __init__(self, *needed):
        self.needed = set(needed)
        self.runs = []

    def run(self, sequence):
        """Return the Outcome of a sequence, and remember the sequence."""
        self.runs.append(sequence)
        made = {step for first, last in sequence.only for step in range(first, last + 1)}
        bad = sequence.first <= 4 < sequence.first + sequence.rounds and self.needed <= made
        return FOUND if bad else Outcome(len(made))


class Shrink(unittest.TestCase):
    """A sequence that goes wrong is made short."""

    WHOLE = Sequence(seed=7, rounds=9)

    def shrink(self, hypervisor, tries):
        """Shrink the whole sequence."""
        return run_fuzz_host.shrink(hypervisor.run, self.WHOLE, FOUND, tries)

    def test_without(self):
        """Steps are left out at either end, in the middle, across a gap, and where none are."""
        ranges = [(0, 9), (20, 29)]
        for start, end, rest in ((0, 4, [(5, 9), (20, 29)]), (5, 9, [(0, 4), (20, 29)]),
                                 (3, 3, [(0, 2), (4, 9), (20, 29)]), (10, 19, ranges),
                                 (8, 21, [(0, 7), (22, 29)]), (0, 29, [])):
            self.assertEqual(run_fuzz_host.without(ranges, start, end), rest)

    def test_exactly_what_is_needed(self):
        """With enough tries the steps that are needed remain, of the round that went wrong."""
        hypervisor = Hypervisor(13, 500, 501, 999)
        best = self.shrink(hypervisor, 10000)
        self.assertEqual(best.only, [(13, 13), (500, 501), (999, 999)])
        self.assertEqual((best.seed, best.first, best.rounds), (7, 4, 1))
        self.assertIn('fuzz_only=13-13,500-501,999-999', best.words())
        self.assertIn('fuzz_first=4', best.words())

    def test_few_tries(self):
        """Tries are limited, and what they leave still goes wrong."""
        hypervisor = Hypervisor(13, 999)
        best = self.shrink(hypervisor, 30)
        self.assertTrue(hypervisor.run(best).bad)
        count = sum(last - first + 1 for first, last in best.only)
        self.assertLess(count, 200)
        # One to see whether the round alone does it, and the one above.
        self.assertEqual(len(hypervisor.runs), 30 + 2)

    def test_not_again(self):
        """A round that does not go wrong again is not searched."""
        hypervisor = Hypervisor(1000)
        self.assertIsNone(self.shrink(hypervisor, 30))
        self.assertEqual(len(hypervisor.runs), 1)
