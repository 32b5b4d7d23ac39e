# SPDX-License-Identifier: GPL-2.0-only
"""Test scripts/pkvm/counters.py: it reports a page, a VM or a counter that is missing."""

import unittest

import counters
import qemu

GOOD = {'vms_created': 2, 'vms_destroyed': 2, 'pages_donated': 10, 'pages_relinquished': 1,
        'pages_reclaimed_private': 6, 'pages_reclaimed_shared': 3, 'metadata_pages_donated': 4,
        'metadata_pages_returned': 4}


def show(**changed):
    """Return the counters as the host prints them, with some of them changed."""
    return ''.join(f'{key} {value}\n' for key, value in dict(GOOD, **changed).items())


class Counters(unittest.TestCase):
    def refused(self, words, before='', **changed):
        with self.assertRaisesRegex(counters.Unbalanced, words):
            counters.gained(before, show(**changed))

    def test_good(self):
        """Only the differences count, not the values from before the run."""
        self.assertEqual(counters.gained('', show()), GOOD)
        before = show(**{key: 7 for key in GOOD})
        after = show(**{key: 7 + value for key, value in GOOD.items()})
        self.assertEqual(counters.gained(before, after), GOOD)

    def test_lost(self):
        self.refused('10 pages were donated, 9 came back', pages_reclaimed_private=5)
        self.refused('10 pages were donated, 11 came back', pages_relinquished=2)
        self.refused('4 pages were given to the hypervisor, 3 came', metadata_pages_returned=3)
        self.refused('2 VMs were created, 1 destroyed', vms_destroyed=1)
        self.refused('10 pages were donated, 0 came back', show(pages_donated=0))

    def test_not_shown(self):
        with self.assertRaisesRegex(counters.Unbalanced, 'no such file'):
            counters.gained(show(), 'cat: no such file\n')
        with self.assertRaisesRegex(counters.Unbalanced, 'vms_created'):
            counters.gained('', show().replace('vms_created', 'vms'))

    def test_around(self):
        """The jobs of a run stand between two printouts, which over() compares."""
        lines = counters.around(['a', 'b'])
        self.assertEqual(lines, [f'cat {counters.FILE}', 'a', 'b', f'cat {counters.FILE}'])
        outputs = [show(**dict.fromkeys(GOOD, 0)), 'x 1\n', 'y 2\n', show()]
        host = qemu.Run([qemu.Job(*job) for job in zip(lines, [0] * 4, outputs)], '', 1.0)
        self.assertEqual(counters.over(host), GOOD)
        host.jobs[-1].output = show(vms_destroyed=1)
        with self.assertRaises(counters.Unbalanced):
            counters.over(host)
