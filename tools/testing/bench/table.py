# SPDX-License-Identifier: GPL-2.0-only
"""Parses the output of benchmark runs, and formats the table.

Rule: a row that was not measured is an error, never a gap in the table.
"""

import dataclasses
import re

RESULT = re.compile(r'^bench: (\w+) median (\d+) min (\d+) max (\d+) samples (\d+)$', re.M)
ERROR = re.compile(r'^bench: error: .*$', re.M)
DONE = re.compile(r'^bench: done$', re.M)
# Operations whose cost an instruction count does not show; ops.py counts them.
OPERATIONS = ('tlbi', 'dsb', 'dc', 'ic')
# Limit of instructions that EL2 may execute at a time, with interrupts off.
LONGEST_STAY = 60000
COUNTER = re.compile(r'^(\w+) (\d+)$', re.M)


class BenchError(Exception):
    """A run did not measure what it must; the message says why."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One row: the name of a guest's result, a title, the cost on the peer, a limit of our own.

    The peer is the kernel with which a kind of VM is compared. A result must not exceed either
    number.
    """
    name: str
    title: str
    peer: int = None
    limit: int = None

    @property
    def most(self):
        """The largest cost that is allowed, None if there is no limit."""
        return min(filter(None, (self.peer, self.limit)), default=None)


# The peer of protected VMs is upstream Linux 7.3.4.
PROTECTED = [
    Row('features', 'FEATURES hypercall, round trip', 183),
    Row('mem_share', 'MEM_SHARE, one page', 2765, 1400),
    Row('mem_unshare', 'MEM_UNSHARE, one page', 2730, 1400),
    Row('touch_run', 'first touch, populated, per page', 9200),
    Row('mmio_write', 'MMIO write exit to the VMM and back', 7300),
    Row('teardown', 'VM destroyed, per donated page', 4450),
    Row('share_range', 'MEM_SHARE on a range, per page', limit=80),
    Row('unshare_range', 'MEM_UNSHARE on a range, per page', limit=200),
    Row('rguard_map', 'MMIO_RGUARD_MAP of 16 MiB', limit=5000),
    Row('rguard_unmap', 'MMIO_RGUARD_UNMAP of 16 MiB'),
    Row('relinquish', 'MEM_RELINQUISH, one page', limit=4200),
    Row('relinquish_row', 'MEM_RELINQUISH, 256 in a row, per page', limit=4200),
    Row('window_fault', '4 KiB of a window, populated', limit=5000),
    Row('window_block', '2 MiB of a window, huge page, per page', limit=600),
    Row('window_remove', 'window of 4 KiB removed, per page', limit=400),
    Row('window_remove_block', 'window of 2 MiB removed, per page', limit=400),
    Row('host_call', 'PSCI_VERSION, answered at EL2'),
]
# The peer of non-protected VMs, on a protected host, is stock Linux 6.12.
NON_PROTECTED = [
    Row('features', 'hypercall to the host and back', 2990),
    Row('first_touch', '4 KiB fault, host-populated', 6280),
    Row('mmio_write', 'MMIO write exit to the VMM and back', 5390),
]


@dataclasses.dataclass(frozen=True)
class Result:
    """The result of one benchmark, in instructions."""
    median: int
    minimum: int
    maximum: int
    samples: int


def counters(text, *needed):
    """Parse "key value" lines: a dictionary that has the needed keys, or BenchError."""
    found = {key: int(value) for key, value in COUNTER.findall(text)}
    for key in needed:
        if key not in found:
            raise BenchError(f'the counters lack {key}')
    return found


def guest_results(text):
    """Parse the output of a guest: {name: Result}."""
    error = ERROR.search(text)
    if error:
        raise BenchError(f'the guest reported an error: {error.group(0)}')
    if not DONE.search(text):
        raise BenchError('the guest did not print "bench: done"')
    return {name: Result(*map(int, numbers)) for name, *numbers in RESULT.findall(text)}


def teardown(vmm, gained):
    """The cost of destroying a protected VM, per page, as a Result."""
    pages = gained['pages_donated']
    if not pages:
        raise BenchError('no page was donated, so the VM was not protected')
    returned = gained['pages_reclaimed_private'] + gained['pages_reclaimed_shared']
    if pages != returned + gained['pages_relinquished']:
        raise BenchError('not every donated page was reclaimed')
    cost = round(vmm['teardown_ns'] / returned)
    return Result(cost, cost, cost, 1)


def ratio(result, peer):
    """A result as a multiple of the cost on the peer; less than 1 is better."""
    return result.median / peer


def cells(row, result, stock, operations):
    """One line of the table. A cell without a value has a dash."""
    return ''.join([
        f'  {row.title:42}{result.median:>8,}{result.minimum:>8,}',
        f'{stock.median:>8,}' if stock else f'{"-":>8}',
        f'{row.peer:>8,}{ratio(result, row.peer):>7.2f}' if row.peer else f'{"-":>8}{"-":>7}',
        *(f'{operations[kind]:>8.1f}' for kind in OPERATIONS)])


def section(title, rows, ours, operations, stock=None):
    """The lines for one kind of VM; stock is None if it was not measured."""
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

    protected, non_protected and stock are {name of a row: Result}. operations has a
    {name of a row: {operation: mean number}} for each of the first two.
    """
    head = (f'{"instructions":44}{"ours":>8}{"min":>8}{"stock":>8}{"peer":>8}{"ratio":>7}'
            + ''.join(f'{kind:>8}' for kind in OPERATIONS))
    return '\n'.join([
        head,
        *section('protected VM; peer: Linux 7.3.4', PROTECTED, protected, operations[0]),
        *section('non-protected VM on the same host; peer: stock Linux 6.12', NON_PROTECTED,
                 non_protected, operations[1], stock)])


def worse(protected, non_protected):
    """The rows that exceed their limits, as messages."""
    found = []
    for kind, rows, results in (('protected', PROTECTED, protected),
                                ('non-protected', NON_PROTECTED, non_protected)):
        found += [f'{kind} VM, {row.title}: {results[row.name].median:,}, limit {row.most:,}'
                  for row in rows if row.most and results[row.name].median > row.most]
    return found
