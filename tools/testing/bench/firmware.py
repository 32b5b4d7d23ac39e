# SPDX-License-Identifier: GPL-2.0-only
"""Costs of the firmware's phases, and calls that its pool and its lazy MMIO guard save.

In a protected VM the firmware reads the 64 MiB disk: in requests of 4 KiB, one or sixteen in
flight, and in requests of 64 KiB, which need several granules each. Then it enters a kernel that
prints the counter and powers off. The firmware counts its calls, and those that it would have
made without pool and lazy guard.
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
# Bytes per request, and requests in flight.
RUNS = ((4096, 1), (4096, 16), (65536, 16))
# Limit of the firmware's image in bytes.
IMAGE_MAX = 128 << 10
# The firmware cannot time the last phase: it prints its counts and enters the kernel.
PHASES = ('start', 'devtree', 'disk', 'verify', 'leave', 'jump')
LIMIT = 600
# Limits of phases in instructions. That of the disk holds for requests of LIMITED_SIZE bytes.
PHASE_LIMITS = {'disk': 250_000_000, 'verify': 40_000_000}
LIMITED_SIZE = 65536


def kernel(program):
    """The arm64 Image of guest/kernel.S, padded to the size in its header."""
    if program[56:60] != b'ARM\x64':
        raise table.BenchError('the kernel for the firmware is not an arm64 Image')
    return program.ljust(struct.unpack_from('<Q', program, 16)[0], b'\xa5')


@dataclasses.dataclass(frozen=True)
class Run:
    """Counts and ticks of the firmware in one VM, with size and number of its requests."""
    size: int
    depth: int
    stats: dict
    ticks: dict

    def name(self):
        """The heading of its column."""
        return f'{self.size >> 10} KiB x {self.depth}'


def parse(text, size, depth):
    """Parse the output of a VM whose firmware entered the kernel; a Run."""
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
    """Build the host's files in a folder: {path in the host: file}.

    The disk is a file in the host's memory: waiting for a device would cost virtual time without
    instructions.
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
    """The job lines that run the VMs."""
    return [f'limit={LIMIT} /vmm --protected --firmware /fw{number} --kernel /kernel --mem 64 '
            f'--disk /disk,ro --timeout {LIMIT}' for number in range(len(RUNS))]


def lines(runs, size):
    """The lines of the report; size is that of the firmware's image in bytes."""
    rows = [
        ('requests', 'requests to the disk'),
        ('in_flight_peak', 'most requests in flight'),
        ('share_calls', 'MEM_SHARE calls'),
        ('unshare_calls', 'MEM_UNSHARE calls'),
        ('pages_shared_peak', 'most pages shared'),
        ('pool_pages_peak', 'most pages in use'),
        ('refills', 'refills of the pool'),
        ('per_alloc_calls', 'share calls without a pool'),
        ('granule_queries', 'granule queries'),
        ('guard_calls', 'MMIO guard calls'),
        ('guard_eager_calls', 'MMIO guard calls if not lazy'),
    ]
    out = [f'{"firmware, 64 MiB in requests of":44}'
           + ''.join(f'{run.name():>16}' for run in runs)]
    out += [f'  {title:42}' + ''.join(f'{run.stats[key]:>16,}' for run in runs)
            for key, title in rows]
    out += [f'  {f"instructions, {phase}":42}'
            + ''.join(f'{run.ticks[phase]:>16,}' for run in runs) for phase in PHASES]
    out.append(f'  {"instructions, up to the kernel":42}'
               + ''.join(f'{sum(run.ticks.values()):>16,}' for run in runs))
    out.append(f'firmware image: {size:,} bytes (limit {IMAGE_MAX:,}); memory with the pool: 2 MiB')
    return out


def misses(runs, size):
    """The results that exceed their limits, as messages."""
    found = []
    for run in runs:
        s, where = run.stats, f'firmware, {run.name()}: '
        for key in ('share_calls', 'unshare_calls'):
            # Without ranges a call shares a page. Small blocks use a page together.
            if s[key] > s['pool_pages_peak']:
                found.append(f'{where}{s[key]} {key} for {s["pool_pages_peak"]} pages in use')
            if s['ranges'] and s[key] > s['refills']:
                found.append(f'{where}{s[key]} {key} for {s["refills"]} refills')
        if s['granule_queries'] != 1:
            found.append(f'{where}{s["granule_queries"]} granule queries')
        if s['guard_calls'] >= s['guard_eager_calls']:
            found.append(f'{where}the guard is not lazy')
        for phase, most in PHASE_LIMITS.items():
            if run.ticks[phase] > most and (phase != 'disk' or run.size == LIMITED_SIZE):
                found.append(f'{where}{run.ticks[phase]:,} instructions, {phase}, limit {most:,}')
        if s['in_flight_peak'] != run.depth:
            found.append(f'{where}{s["in_flight_peak"]} requests in flight')
    if size > IMAGE_MAX:
        found.append(f'firmware image: {size:,} bytes, limit {IMAGE_MAX:,}')
    return found
