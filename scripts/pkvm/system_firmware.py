# SPDX-License-Identifier: GPL-2.0-only
"""Checks of run_system.py: regions of guest firmware that the host must refuse.

If EL2 could not own a region alone, the host prints the reason, does not use the region, and runs
like a host without a guest firmware.
"""

import os

import devtree
import qemu
import run

FIRMWARE = os.path.join(qemu.BUILD, 'pvmfw.bin')
MEM = 1024
PAGE = devtree.PAGE
NONE_LEFT = "the host's boot loader left no firmware"


def boot(cpu, regions):
    """Boot a host with these regions, and a VM that requests to start in the firmware."""
    return qemu.boot(['limit=30 /vmm --protected --host-firmware --timeout 20'], cpu=cpu, mem=MEM,
                     firmware=FIRMWARE, regions=regions,
                     log=os.path.join(qemu.BUILD, 'log', f'system-firmware-{cpu}.log'))


def refused(cpu, why, regions):
    """Raise RunError unless the host prints this reason and behaves as without firmware."""
    host = boot(cpu, regions)
    if host.cause:
        raise run.RunError(f'{why}: {host.cause}')
    if f'is not used: {why}' not in host.console:
        raise run.RunError(f'the host did not print "{why}"')
    job = host.jobs[0]
    if job.status != 1 or NONE_LEFT not in job.output:
        raise run.RunError(f'{why}: the VM ended with status {job.status}: {job.output.strip()}')


def firmware_regions(cpu):
    """The host refuses unsuitable regions for a guest firmware, each with its reason."""
    base, size = devtree.firmware_region(FIRMWARE, MEM)
    right = {'base': base, 'size': size}
    other = {'base': base - PAGE, 'size': 2 * PAGE, 'name': 'other', 'compatible': None}
    # A region behind all memory, since Linux does not boot if half a page of RAM is reserved.
    behind = dict(right, base=base + (64 << 20))
    refused(cpu, 'it is not made of whole pages', [dict(behind, base=behind['base'] + PAGE // 2)])
    refused(cpu, 'it is not made of whole pages', [dict(behind, size=size - PAGE // 2)])
    refused(cpu, 'it lacks no-map', [dict(right, no_map=False)])
    refused(cpu, 'it overlaps another region', [right, other])


CHECKS = (firmware_regions,)
