# SPDX-License-Identifier: GPL-2.0-only
"""Checks of run_system.py: where DMA is not isolated, a host can refuse protected VMs.

A host that was booted with kvm-arm.dma_isolation=required has no protected VM while one of its
devices has DMA that EL2 does not translate.
"""

import os

import qemu
import run
from system_linux import expect

REQUIRED = 'kvm-arm.dma_isolation=required'
STATE = 'cat /sys/kernel/debug/kvm/dma_isolation'
# The firmware starts, finds no disk, and resets its VM.
VMM = 'limit=60 /vmm --firmware /pvmfw.bin --timeout 50'
STARTED, RESET = 'pvmfw: start', 3
REFUSED = 'KVM_CREATE_VM: Operation not permitted'


def boot(cpu, board):
    """Boot a host that requires isolation. Return the first line of its state, and two VMs."""
    host = qemu.boot([STATE, f'{VMM} --protected', VMM], cpu=cpu, board=board, append=REQUIRED,
                     log=os.path.join(qemu.BUILD, 'log', f'system-dma-{board}-{cpu}.log'))
    if host.cause:
        raise run.RunError(f'{board}: {host.cause}')
    state, *vms = host.jobs
    return (state.output.strip().split('\n')[0], *vms)


def dma_required(cpu):
    """Protected VMs are refused where a device is not isolated, and run where all are.

    VMs that are not protected run on both hosts.
    """
    state, protected, other = boot(cpu, 'virt')
    expect(state, 'isolated: none', 'state of a host without SMMU')
    expect((protected.status, REFUSED in protected.output), (1, True),
           'protected VM on a host without SMMU')
    expect((other.status, STARTED in other.output), (RESET, True),
           'other VM on a host without SMMU')

    state, *vms = boot(cpu, 'virt-smmu')
    expect(state, 'isolated: all', 'state of a host with an SMMU')
    for vm in vms:
        expect((vm.status, STARTED in vm.output), (RESET, True), 'VM on a host with an SMMU')


CHECKS = (dma_required,)
