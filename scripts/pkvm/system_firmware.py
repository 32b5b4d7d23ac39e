# SPDX-License-Identifier: GPL-2.0-only
"""Checks of run_system.py: a guest firmware that the boot loader has left wrongly.

Rule: memory that the hypervisor could not have for itself is refused, with the
reason, and the host goes on as one that has no firmware: nothing starts in it.
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
    """A host with these regions, and a VM that wants to start in its firmware."""
    return qemu.boot(['limit=30 /vmm --protected --host-firmware --timeout 20'], cpu=cpu, mem=MEM,
                     firmware=FIRMWARE, regions=regions,
                     log=os.path.join(qemu.BUILD, 'log', f'system-firmware-{cpu}.log'))


def refused(cpu, why, regions):
    """The host says why, and has no firmware."""
    host = boot(cpu, regions)
    if host.cause:
        raise run.RunError(f'{why}: {host.cause}')
    if f'is not used: {why}' not in host.console:
        raise run.RunError(f'the host did not say "{why}"')
    job = host.jobs[0]
    if job.status != 1 or NONE_LEFT not in job.output:
        raise run.RunError(f'{why}: the VM ended with status {job.status}: {job.output.strip()}')


def firmware_regions(cpu):
    """Regions that the host must refuse, each with its reason."""
    base, size = devtree.firmware_region(FIRMWARE, MEM)
    right = {'base': base, 'size': size}
    other = {'base': base - PAGE, 'size': 2 * PAGE, 'name': 'other', 'compatible': None}
    # Behind all memory: with half a page of it that is not mapped Linux itself does not boot.
    behind = dict(right, base=base + (64 << 20))
    refused(cpu, 'it is not made of whole pages', [dict(behind, base=behind['base'] + PAGE // 2)])
    refused(cpu, 'it is not made of whole pages', [dict(behind, size=size - PAGE // 2)])
    refused(cpu, 'it lacks no-map', [dict(right, no_map=False)])
    refused(cpu, 'it overlaps another region', [right, other])


CHECKS = (firmware_regions,)
