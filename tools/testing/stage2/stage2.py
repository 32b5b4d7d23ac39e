#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Draw how the host's stage-2 maps its memory, from several dumps.

A dump is the text of /sys/kernel/debug/kvm/host_stage2_page_tables. The picture has a row for
each dump. Each column is a range of memory, coloured by how stage-2 maps it: the level of the
leaves, shared memory, and memory of a guest or the hypervisor. gnuplot draws it.
"""

import argparse
import collections
import itertools
import os
import re
import subprocess
import sys
import tempfile

RUN = re.compile(r'^0x([0-9a-f]+)-0x([0-9a-f]+) L(-?\d) (\d+) x (\d+)K (.+)$', re.M)
TOTAL = re.compile(r'^([a-z]+(?: L-?\d)?): (\d+)$', re.M)
# A dump has those of these totals whose levels can have leaves, which depends on the page size.
LEAVES = 'leaves L1', 'leaves L2', 'leaves L3'
TABLES = 'leaves L3', 'annotated', 'tables', 'references'
COLUMNS = 1024
# The kinds of memory and their colours, from the bottom of a column to its top.
KINDS = {
    'blocks (L1)': '#1b5e20',
    'blocks (L2)': '#66bb6a',
    'pages (L3)': '#fdd835',
    'shared': '#1e88e5',
    'guest': '#d81b60',
    'hypervisor': '#5d4037',
    'not mapped': '#eeeeee',
}

Run = collections.namedtuple('Run', 'start end level what')


class DumpError(Exception):
    """A text is not a valid dump, or a picture could not be drawn."""


class Dump:
    """A parsed dump of a stage-2."""

    def __init__(self, text):
        found = RUN.findall(text)
        self.runs = [Run(int(start, 16), int(end, 16) + 1, int(level), what)
                     for start, end, level, _, _, what in found]
        self.devices = collections.Counter()
        for _, _, level, count, _, what in found:
            if what.startswith('mmio '):
                self.devices[f'leaves L{level}'] += int(count)
        self.totals = {name: int(value) for name, value in TOTAL.findall(text)}
        # Faults count the past, so they are not compared. The dump of a VM has none.
        self.faults = self.totals.pop('faults', None)
        missing = [name for name in TABLES if name not in self.totals]
        if not self.runs or missing:
            raise DumpError('not a dump of a stage-2: it lacks '
                            + (', '.join(missing) or 'entries'))
        for before, after in zip(self.runs, self.runs[1:]):
            if before.end != after.start:
                raise DumpError(f'a dump with a gap at {before.end:#x}')

    def lasting(self):
        """The totals without leaves of devices, which appear when the host first uses a device."""
        return {name: value - self.devices[name] for name, value in self.totals.items()}

    def memory(self):
        """Start and end of the memory in the dump."""
        inside = [run for run in self.runs if kind(run) != 'not mapped']
        if not inside:
            raise DumpError('a dump without memory')
        return inside[0].start, inside[-1].end

    def levels_walked(self):
        """The mean number of levels of a walk to mapped memory."""
        first = min(int(name.split('L')[1]) for name in self.totals
                    if name.startswith('tables L'))
        mapped = [(run.end - run.start, run.level - first + 1) for run in self.runs
                  if kind(run) != 'not mapped' and 'RWX' in run.what]
        return sum(size * level for size, level in mapped) / sum(size for size, _ in mapped)

    def summary(self):
        """The totals in one line."""
        return (', '.join(f'{self.totals[name]} {name.split()[1]}' for name in LEAVES
                          if name in self.totals)
                + f' leaves, {self.totals["tables"]} table pages, '
                  f'{self.levels_walked():.2f} levels walked')


def kind(run):
    """The kind of a run, a key of KINDS."""
    owner = run.what.split()[0]
    if owner == 'guest':
        return 'guest'
    if owner in ('hyp', 'ffa'):
        return 'hypervisor'
    if owner in ('shared', 'borrowed'):
        return 'shared'
    if owner == 'owned':
        return list(KINDS)[run.level - 1]
    return 'not mapped'


def columns(dump, start, end):
    """The shares of the kinds in each column: a list of {kind: share}."""
    filled = [collections.Counter() for _ in range(COLUMNS)]
    width = (end - start) / COLUMNS
    for run in dump.runs:
        low, high = max(run.start, start), min(run.end, end)
        column = int((low - start) / width)
        while low < high and column < COLUMNS:
            stop = min(high, start + (column + 1) * width)
            filled[column][kind(run)] += round((stop - low) / width, 9)
            low, column = stop, column + 1
    return filled


def boxes(dump, start, end, row):
    """gnuplot's data for a row: x, y, xlow, xhigh, ylow, yhigh, colour."""
    column = 0
    for shares, equal in itertools.groupby(columns(dump, start, end)):
        after = column + len(list(equal))
        low = row + 0.1
        for name, colour in KINDS.items():
            high = low + 0.8 * shares[name]
            if shares[name] > 0:
                yield f'{column} {row} {column} {after} {low:.4f} {high:.4f} 0x{colour[1:]}'
            low = high
        column = after


def script(rows, terminal, output):
    """The gnuplot script for rows, a list of (name, Dump) from top to bottom."""
    start = min(dump.memory()[0] for _, dump in rows)
    end = max(dump.memory()[1] for _, dump in rows)
    ticks = ', '.join(f'"{name}" {len(rows) - 1 - i + 0.5}' for i, (name, _) in enumerate(rows))
    marks = ', '.join(f'"{(start + (end - start) * i // 4) >> 20} MiB" {COLUMNS * i // 4}'
                      for i in range(5))
    legend = ', '.join(f'NaN with boxes fs solid fc rgb "{colour}" title "{name}"'
                       for name, colour in KINDS.items())
    lines = [f'set terminal {terminal}', f'set output "{output}"', 'set style fill solid noborder',
             f'set xrange [0:{COLUMNS}]', f'set yrange [0:{len(rows)}]', f'set ytics ({ticks})',
             f'set xtics ({marks})', 'set key outside bottom center horizontal',
             'set title "How the host\'s stage-2 maps its memory"', '$strip << EOD']
    for i, (_, dump) in enumerate(rows):
        lines += boxes(dump, start, end, len(rows) - 1 - i)
    lines += ['EOD', f'plot $strip using 1:2:3:4:5:6:7 with boxxyerror lc rgb variable notitle, '
                     f'{legend}']
    return '\n'.join(lines) + '\n'


def draw(rows, path):
    """Draw rows, a list of (name, Dump), as path.svg and path.png; no partial file is left."""
    path = os.path.abspath(path)
    with tempfile.TemporaryDirectory(prefix='stage2.', dir=os.path.dirname(path)) as scratch:
        for suffix, terminal in (('svg', 'svg size 1200,420'),
                                 ('png', 'pngcairo size 1200,420')):
            drawn = os.path.join(scratch, suffix)
            try:
                done = subprocess.run(['gnuplot'], input=script(rows, terminal, drawn),
                                      text=True, capture_output=True, check=False)
            except FileNotFoundError:
                raise DumpError('gnuplot is not installed') from None
            if done.returncode:
                raise DumpError(f'gnuplot: {done.stderr.strip()}')
            os.replace(drawn, f'{path}.{suffix}')


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('path', help='path of the picture; .svg and .png are appended')
    parser.add_argument('dump', nargs='+', help='a file with a dump, which becomes a row')
    args = parser.parse_args()
    try:
        rows = []
        for name in args.dump:
            with open(name) as file:
                rows.append((os.path.splitext(os.path.basename(name))[0], Dump(file.read())))
        draw(rows, args.path)
    except (DumpError, OSError) as error:
        print(f'stage2.py: error: {error}', file=sys.stderr)
        return 1
    for name, dump in rows:
        print(f'{name:<10} {dump.summary()}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
