# SPDX-License-Identifier: GPL-2.0-only
"""Costs and benefits of coalescing the host's stage-2.

The same VM runs and ends on a host that coalesces its stage-2 and on one that does not. Measured
are the instructions of teardown per page, the mean number of levels of a stage-2 walk to the
host's memory, and the host's faults on all of its memory after the VM has ended.
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
OFF = 'kvm-arm.host_s2_coalesce=0'
# Limit of the cost of teardown, as a multiple of the cost without coalescing.
ALLOWED = 1.05


@dataclasses.dataclass(frozen=True)
class Costs:
    """The results of one host; levels are those before, with and after the VM."""
    teardown: int
    pages: int
    faults: int
    levels: tuple


def jobs(warm_up, vmm, pages):
    """The job lines of a host. Its stage-2 is dumped when the VM has this number of pages."""
    return [*warm_up, f'cat {SWEEP} {TABLES}', f'cat {COUNTERS}',
            f'during pages_donated {pages} {TABLES} {vmm}', 'cat /tmp/stats', f'cat {COUNTERS}',
            f'cat {TABLES}', f'cat {SWEEP} {TABLES}']


def costs(outputs):
    """The Costs from the outputs of the jobs."""
    first, before, during, stats, after, died, swept = outputs[-7:]
    try:
        dumps = [stage2.Dump(text) for text in (first, during, died, swept)]
    except stage2.DumpError as error:
        raise table.BenchError(f'{TABLES}: {error}') from None
    if None in [dump.faults for dump in dumps]:
        raise table.BenchError(f'{TABLES} has no count of faults')
    first, during, died, swept = dumps
    before = table.counters(before)
    after = table.counters(after, 'pages_donated', 'pages_reclaimed_private',
                           'pages_reclaimed_shared')
    gained = {key: after[key] - before.get(key, 0) for key in after}
    cost = table.teardown(table.counters(stats, 'teardown_ns'), gained)
    return Costs(cost.median, gained['pages_donated'], swept.faults - died.faults,
                 tuple(dump.levels_walked() for dump in (first, during, swept)))


def report(ours, split):
    """The lines of the report."""
    lines = ["host's stage-2:              coalesced   not coalesced",
             f'  teardown, per page          {ours.teardown:>10,}      {split.teardown:>10,}',
             f'  faults on all memory after  {ours.faults:>10,}      {split.faults:>10,}']
    for when, mine, other in zip(('before', 'with the VM', 'after'), ours.levels, split.levels):
        lines.append(f'  levels walked, {when:13}{mine:>10.4f}      {other:>10.4f}')
    return lines


def worse(ours, split):
    """The results that exceed their limits, as messages."""
    found = []
    if ours.teardown > split.teardown * ALLOWED:
        found.append(f'teardown: {ours.teardown:,} instructions per page, limit {ALLOWED} times '
                     f'{split.teardown:,} (without coalescing)')
    if ours.faults > ours.pages // 8:
        found.append(f'{ours.faults:,} faults of the host after a VM with {ours.pages:,} pages')
    return found
