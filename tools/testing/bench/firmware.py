# SPDX-License-Identifier: GPL-2.0-only
"""What pooled sharing and the lazy MMIO guard save the firmware, and what its
phases cost.

A protected VM reads the 64 MiB disk in requests of 4 KiB, one and sixteen at a
time, and of 64 KiB, each of which needs many granules at once, and enters a kernel
that tells when that was and switches off. The firmware counts its own calls, and
what they had been without pool and laziness, in the same run.
"""

import dataclasses
import os
import re
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.abspath(os.path.join(HERE, '../../..'))
sys.path[:0] = [os.path.join(TOP, 'scripts/pkvm'), os.path.join(TOP, 'tools/pvmfw')]
import pvmfw_config  # noqa: E402
import table  # noqa: E402

BUILD = os.path.join(TOP, 'build')
FIRMWARE = os.path.join(BUILD, 'pvmfw.bin')
DISK = os.path.join(BUILD, 'disk.img')
# Bytes of a request, and how many are under way.
RUNS = ((4096, 1), (4096, 16), (65536, 16))
# Of the firmware at most.
IMAGE_MAX = 128 << 10
# The last one is what the firmware cannot tell: its report, and what comes behind it.
PHASES = ('start', 'devtree', 'disk', 'verify', 'leave', 'jump')
LIMIT = 600
# Instructions of a phase at most; of the disk's with requests of this size.
MARKS = {'disk': 250_000_000, 'verify': 40_000_000}
MARKED_SIZE = 65536


def kernel(program):
    """What kernel.S makes, an arm64 Image, padded to the size that it says."""
    if program[56:60] != b'ARM\x64':
        raise table.BenchError('the kernel that the firmware is to enter is no arm64 Image')
    return program.ljust(struct.unpack_from('<Q', program, 16)[0], b'\xa5')


@dataclasses.dataclass(frozen=True)
class Run:
    """What one VM has told, with the size and the number of its requests."""
    size: int
    depth: int
    stats: dict
    ticks: dict

    def name(self):
        """For people."""
        return f'{self.size >> 10} KiB x {self.depth}'


def parse(text, size, depth):
    """The numbers of a run that came to the kernel."""
    found = []
    for name in ('stats', 'ticks'):
        line = re.search(rf'^pvmfw: {name} (.*)$', text, re.M)
        if not line:
            raise table.BenchError(f'the firmware printed no {name}')
        found.append({key: int(value) for key, value in re.findall(r'(\w+)=(\d+)',
                                                                   line.group(1))})
    entered = re.search(r'^pvmfw: boot\nkernel: counter 0x([0-9a-f]{16})$', text, re.M)
    if not entered:
        raise table.BenchError('the firmware did not enter the kernel')
    stats, ticks = found
    ticks['jump'] = int(entered.group(1), 16) - ticks.pop('counter')
    return Run(size, depth, stats, ticks)


def build(folder):
    """The files of a host: {path in the host: file}; made in folder.

    The disk lies in the host's memory: while the host waits for a device, time
    goes on without instructions.
    """
    image = os.path.join(folder, 'fw-kernel')
    with open(os.path.join(folder, 'kernel.bin'), 'rb') as program, open(image, 'wb') as file:
        file.write(kernel(program.read()))
    files = {'/kernel': image, '/disk': DISK}
    with open(FIRMWARE, 'rb') as file:
        plain = file.read()
    for number, (size, depth) in enumerate(RUNS):
        path = os.path.join(folder, f'fw-{number}.bin')
        with open(path, 'wb') as file:
            file.write(pvmfw_config.append(plain, pvmfw_config.entries_of(
                kernel=image, read_size=size, read_depth=depth)))
        files[f'/fw{number}'] = path
    return files


def jobs():
    """The lines that run the VMs."""
    return [f'limit={LIMIT} /vmm --protected --firmware /fw{number} --kernel /kernel --mem 64 '
            f'--disk /disk,ro --timeout {LIMIT}' for number in range(len(RUNS))]


def lines(runs, size):
    """What make bench prints; size is that of the firmware's image."""
    rows = [
        ('requests', 'requests to the disk'),
        ('in_flight_peak', 'most of them under way'),
        ('share_calls', 'MEM_SHARE calls'),
        ('unshare_calls', 'MEM_UNSHARE calls'),
        ('pages_shared_peak', 'most pages shared'),
        ('pool_pages_peak', 'most pages in use'),
        ('refills', 'refills of the pool'),
        ('per_alloc_calls', 'calls, shared per allocation'),
        ('granule_queries', 'granule queries'),
        ('guard_calls', 'MMIO guard calls, lazily'),
        ('guard_eager_calls', 'MMIO guard calls, eagerly'),
    ]
    out = [f'{"firmware, 64 MiB in requests of":44}'
           + ''.join(f'{run.name():>16}' for run in runs)]
    out += [f'  {title:42}' + ''.join(f'{run.stats[key]:>16,}' for run in runs)
            for key, title in rows]
    out += [f'  {f"instructions, {phase}":42}'
            + ''.join(f'{run.ticks[phase]:>16,}' for run in runs) for phase in PHASES]
    out.append(f'  {"instructions, to the kernel":42}'
               + ''.join(f'{sum(run.ticks.values()):>16,}' for run in runs))
    out.append(f'firmware image {size:,} bytes of {IMAGE_MAX:,}; its memory 2 MiB, pool and all')
    return out


def misses(runs, size):
    """What is worse than it must be, as text for people."""
    found = []
    for run in runs:
        s, where = run.stats, f'firmware, {run.name()}: '
        for key in ('share_calls', 'unshare_calls'):
            # Small blocks share a page, so there may be more of them than pages.
            if s[key] > s['pool_pages_peak']:
                found.append(f'{where}{s[key]} {key} for {s["pool_pages_peak"]} pages in use')
            if s['ranges'] and s[key] > s['refills']:
                found.append(f'{where}{s[key]} {key} for {s["refills"]} refills')
        if s['granule_queries'] != 1:
            found.append(f'{where}{s["granule_queries"]} granule queries')
        if s['guard_calls'] >= s['guard_eager_calls']:
            found.append(f'{where}the guard is not lazy')
        for phase, most in MARKS.items():
            if run.ticks[phase] > most and (phase != 'disk' or run.size == MARKED_SIZE):
                found.append(f'{where}{run.ticks[phase]:,} instructions, {phase}, of {most:,}')
        if s['in_flight_peak'] != run.depth:
            found.append(f'{where}{s["in_flight_peak"]} requests under way')
    if size > IMAGE_MAX:
        found.append(f'firmware image: {size:,} bytes')
    return found
