# SPDX-License-Identifier: GPL-2.0-only
"""What it costs that the host's stage-2 grows together again, and what it brings.

The same VM comes and goes on a host that coalesces and on one that was told not
to. Told are instructions of teardown for each page, how many levels a walk to
the host's memory takes, and how many faults it takes the host to touch all of
its memory after the VM.
"""

import dataclasses
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../stage2'))
import stage2  # noqa: E402
import table  # noqa: E402

TABLES = '/sys/kernel/debug/kvm/host_stage2_page_tables'
SWEEP = '/sys/kernel/debug/kvm/host_stage2_sweep'
COUNTERS = '/sys/kernel/debug/kvm/pkvm_stats'
KEEP = 'kvm-arm.host_s2_coalesce=0'
# What teardown may cost more than without coalescing.
ALLOWED = 1.05


@dataclasses.dataclass(frozen=True)
class Healing:
    """One host's figures."""
    teardown: int
    pages: int
    faults: int
    levels: tuple


def jobs(warm_up, vmm, look_at):
    """What a host has to do; look_at is how many pages the VM has when it is looked at."""
    return [*warm_up, f'cat {SWEEP} {TABLES}', f'cat {COUNTERS}',
            f'during pages_donated {look_at} {TABLES} {vmm}', 'cat /tmp/stats', f'cat {COUNTERS}',
            f'cat {TABLES}', f'cat {SWEEP} {TABLES}']


def figures(outputs):
    """The figures from what the jobs have told."""
    first, before, during, stats, after, died, swept = outputs[-7:]
    try:
        dumps = [stage2.Dump(text) for text in (first, during, died, swept)]
    except stage2.DumpError as error:
        raise table.BenchError(f'{TABLES}: {error}') from None
    if None in [dump.faults for dump in dumps]:
        raise table.BenchError(f'{TABLES} does not tell the faults')
    first, during, died, swept = dumps
    before = table.counters(before)
    after = table.counters(after, 'pages_donated', 'pages_reclaimed_private',
                           'pages_reclaimed_shared')
    gained = {key: after[key] - before.get(key, 0) for key in after}
    cost = table.teardown(table.counters(stats, 'teardown_ns'), gained)
    return Healing(cost.median, gained['pages_donated'], swept.faults - died.faults,
                   tuple(dump.levels_walked() for dump in (first, during, swept)))


def report(ours, split):
    """The lines of the report."""
    lines = ["host's stage-2:              coalesced      kept split",
             f'  teardown, for each page     {ours.teardown:>10,}      {split.teardown:>10,}',
             f'  faults of a sweep after     {ours.faults:>10,}      {split.faults:>10,}']
    for when, mine, other in zip(('before', 'while', 'after'), ours.levels, split.levels):
        lines.append(f'  levels walked, {when:13}{mine:>10.4f}      {other:>10.4f}')
    return lines


def worse(ours, split):
    """What is not as it has to be, as text for people."""
    found = []
    if ours.teardown > split.teardown * ALLOWED:
        found.append(f'teardown: {ours.teardown:,} instructions for each page are more than '
                     f'{ALLOWED} of {split.teardown:,} without coalescing')
    if ours.faults > ours.pages // 8:
        found.append(f'the host took {ours.faults:,} faults for {ours.pages:,} pages after '
                     'teardown')
    return found
