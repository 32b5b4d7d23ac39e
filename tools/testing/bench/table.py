# SPDX-License-Identifier: GPL-2.0-only
"""What a benchmark run has told, and the table that is made of it.

A row that was not measured is an error and never a gap in the table.
"""

import dataclasses
import re

RESULT = re.compile(r'^bench: (\w+) median (\d+) min (\d+) max (\d+) samples (\d+)$', re.M)
ERROR = re.compile(r'^bench: error: .*$', re.M)
DONE = re.compile(r'^bench: done$', re.M)
COUNTER = re.compile(r'^(\w+) (\d+)$', re.M)


class BenchError(Exception):
    """A run that did not measure what it must."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table: what a guest's result is called, and its mark."""
    name: str
    title: str
    mark: int = None


# The marks of a protected VM: upstream Linux 7.3.4.
PROTECTED = [
    Row('features', 'FEATURES hypercall, round trip', 183),
    Row('mem_share', 'MEM_SHARE, one page', 2765),
    Row('mem_unshare', 'MEM_UNSHARE, one page', 2730),
    Row('first_touch', 'first touch of a private page, host-populated', 9200),
    Row('mmio_write', 'MMIO write exit to the VMM and back', 7300),
    Row('teardown', 'VM destroyed, per donated page', 4450),
    Row('host_call', 'PSCI_VERSION, answered by the host'),
]
# The marks of an ordinary VM on a protected host: stock Linux 6.12.
ORDINARY = [
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
    if pages != gained['pages_reclaimed_private'] + gained['pages_reclaimed_shared']:
        raise BenchError('not every donated page came back')
    cost = round(vmm['teardown_ns'] / pages)
    return Result(cost, cost, cost, 1)


def ratio(result, mark):
    """How a result stands to its mark: below one is better."""
    return result.median / mark


def section(title, rows, ours, stock):
    """The lines of one kind of VM; stock is None if it was not measured."""
    lines = [title]
    for row in rows:
        try:
            result = ours[row.name]
            other = stock[row.name] if stock else None
        except KeyError:
            raise BenchError(f'{title}: "{row.name}" was not measured') from None
        lines.append(f'  {row.title:46}{result.median:>9,}{result.minimum:>9,}'
                     + (f'{other.median:>12,}' if other else f'{"-":>12}')
                     + (f'{row.mark:>9,}{ratio(result, row.mark):>8.2f}' if row.mark
                        else f'{"-":>9}{"-":>8}'))
    return lines


def table(protected, ordinary, stock=None):
    """The whole table, as text. Each argument maps the names of rows to Results."""
    head = f'{"instructions":48}{"ours":>9}{"min":>9}{"stock 6.12":>12}{"mark":>9}{"ratio":>8}'
    return '\n'.join([
        head,
        *section('protected VM (mark: Linux 7.3.4)', PROTECTED, protected, None),
        *section('ordinary VM, protected host (mark: stock 6.12)', ORDINARY, ordinary, stock)])


def worse(protected, ordinary):
    """The rows that miss their mark, as text for people."""
    found = []
    for rows, results in ((PROTECTED, protected), (ORDINARY, ordinary)):
        found += [f'{row.title}: {results[row.name].median:,} is more than {row.mark:,}'
                  for row in rows if row.mark and ratio(results[row.name], row.mark) > 1]
    return found
