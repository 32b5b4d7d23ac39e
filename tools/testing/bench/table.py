# SPDX-License-Identifier: GPL-2.0-only
"""What a benchmark run has told, and the table that is made of it.

A row that was not measured is an error and never a gap in the table.
"""

import dataclasses
import re

RESULT = re.compile(r'^bench: (\w+) median (\d+) min (\d+) max (\d+) samples (\d+)$', re.M)
ERROR = re.compile(r'^bench: error: .*$', re.M)
DONE = re.compile(r'^bench: done$', re.M)
# What the ruler is blind to, as ops.py counts it.
OPERATIONS = ('tlbi', 'dsb', 'dc', 'ic')
# The most instructions that EL2 may keep a CPU with interrupts off.
LONGEST_STAY = 60000
COUNTER = re.compile(r'^(\w+) (\d+)$', re.M)


class BenchError(Exception):
    """A run that did not measure what it must."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table: what a guest's result is called, its mark, our own limit."""
    name: str
    title: str
    mark: int = None
    limit: int = None

    @property
    def most(self):
        """What it may cost, None if that is open."""
        return min(filter(None, (self.mark, self.limit)), default=None)


# The marks of a protected VM: upstream Linux 7.3.4.
PROTECTED = [
    Row('features', 'FEATURES hypercall, round trip', 183),
    Row('mem_share', 'MEM_SHARE, one page', 2765, 1400),
    Row('mem_unshare', 'MEM_UNSHARE, one page', 2730, 1400),
    Row('first_touch', 'private page, first touch, host-populated', 9200),
    Row('mmio_write', 'MMIO write exit to the VMM and back', 7300),
    Row('teardown', 'VM destroyed, per donated page', 4450),
    Row('share_range', 'MEM_SHARE on a range, per page', limit=200),
    Row('unshare_range', 'MEM_UNSHARE on a range, per page', limit=200),
    Row('rguard_map', 'MMIO_RGUARD_MAP of 16 MiB', limit=5000),
    Row('rguard_unmap', 'MMIO_RGUARD_UNMAP of 16 MiB'),
    Row('relinquish', 'MEM_RELINQUISH, one page'),
    Row('host_call', 'PSCI_VERSION, answered at EL2'),
]
# The marks of a non-protected VM on a protected host: stock Linux 6.12.
NON_PROTECTED = [
    Row('features', 'hypercall to the host and back', 2990),
    Row('first_touch', '4 KiB fault, host-populated', 6280),
    Row('mmio_write', 'MMIO write exit to the VMM and back', 5390),
]


@dataclasses.dataclass(frozen=True)
class Result:
    """One benchmark of one run, in instructions."""
    median: int
    minimum: int
    maximum: int
    samples: int


def counters(text, *needed):
    """Lines "key value" as a dictionary, which has the needed keys."""
    found = {key: int(value) for key, value in COUNTER.findall(text)}
    for key in needed:
        if key not in found:
            raise BenchError(f'the counters lack {key}')
    return found


def guest_results(text):
    """All that a guest has told: name to Result."""
    error = ERROR.search(text)
    if error:
        raise BenchError(f'the guest gave up: {error.group(0)}')
    if not DONE.search(text):
        raise BenchError('the guest did not say "bench: done"')
    return {name: Result(*map(int, numbers)) for name, *numbers in RESULT.findall(text)}


def teardown(vmm, gained):
    """What the end of a protected VM cost for each page that it had, a Result."""
    pages = gained['pages_donated']
    if not pages:
        raise BenchError('no page was donated: this was no protected VM')
    returned = gained['pages_reclaimed_private'] + gained['pages_reclaimed_shared']
    if pages != returned + gained['pages_relinquished']:
        raise BenchError('not every donated page came back')
    cost = round(vmm['teardown_ns'] / returned)
    return Result(cost, cost, cost, 1)


def ratio(result, mark):
    """How a result stands to its mark: below one is better."""
    return result.median / mark


def cells(row, result, stock, operations):
    """One line of the table; what there is none of is a dash."""
    return ''.join([
        f'  {row.title:42}{result.median:>8,}{result.minimum:>8,}',
        f'{stock.median:>8,}' if stock else f'{"-":>8}',
        f'{row.mark:>8,}{ratio(result, row.mark):>7.2f}' if row.mark else f'{"-":>8}{"-":>7}',
        *(f'{operations[kind]:>6.1f}' for kind in OPERATIONS)])


def section(title, rows, ours, operations, stock=None):
    """The lines of one kind of VM; stock is None if it was not measured."""
    lines = [title]
    for row in rows:
        try:
            lines.append(cells(row, ours[row.name], stock[row.name] if stock else None,
                               operations[row.name]))
        except KeyError:
            raise BenchError(f'{title}: "{row.name}" was not measured') from None
    return lines


def table(protected, non_protected, operations, stock=None):
    """The whole table, as text.

    protected, non_protected and stock map the names of rows to Results; operations
    holds, for the first two, names of rows to what OPERATIONS came to.
    """
    head = (f'{"instructions":44}{"ours":>8}{"min":>8}{"stock":>8}{"mark":>8}{"ratio":>7}'
            + ''.join(f'{kind:>6}' for kind in OPERATIONS))
    return '\n'.join([
        head,
        *section('protected VM; the mark is Linux 7.3.4', PROTECTED, protected, operations[0]),
        *section('non-protected VM on the same host; the mark is stock 6.12', NON_PROTECTED,
                 non_protected, operations[1], stock)])


def worse(protected, non_protected):
    """The rows that cost more than they may, as text for people."""
    found = []
    for kind, rows, results in (('protected', PROTECTED, protected),
                                ('non-protected', NON_PROTECTED, non_protected)):
        found += [f'{kind} VM, {row.title}: {results[row.name].median:,} is more than {row.most:,}'
                  for row in rows if row.most and results[row.name].median > row.most]
    return found
