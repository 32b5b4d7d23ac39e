# SPDX-License-Identifier: GPL-2.0-only
"""Checks of run_system.py: the host's stage-2 is the same after VMs as before."""

import os

import qemu
import run
import run_selftests
import tree

PROGRAM = 'arm64/pkvm_coalesce'
# MiB of the VM and of its host. Without coalescing a small VM is enough to show the difference.
LARGE, SMALL = (512, 1536), (64, 512)
# Two CPUs, because EL2's locks are fair: if QEMU has more vCPUs than there are processors here,
# each lock waits for one that does not run.
CPUS = 2
# The time limit in seconds, on a busy machine.
LIMIT = 540
KEEP = 'kvm-arm.host_s2_coalesce=0'


def program(cpu, size, append=''):
    """Run the program on a host and print its figures; raise RunError if a result is not ok."""
    with tree.locked():
        run_selftests.build([PROGRAM], str(os.cpu_count()))
    name, (vm, memory) = os.path.basename(PROGRAM), size
    host = qemu.boot([f'limit={LIMIT} /{name} {vm}'], kernel=run_selftests.TEST_IMAGE,
                     cpu=cpu, smp=CPUS, mem=memory, append=append, limit=LIMIT + 60,
                     files={f'/{name}': os.path.join(run_selftests.OUTPUT, PROGRAM)},
                     log=os.path.join(qemu.BUILD, f'log/system-stage2-{cpu}.log'))
    output = host.jobs[0].output if host.jobs else host.console
    for line in output.split('\n'):
        if line.startswith('# ') and 'Totals' not in line:
            print(f'# {cpu}{" " + append if append else ""}: {line[2:]}')
    if host.cause or host.jobs[0].status:
        raise run.RunError(f'{host.cause or "a result is not ok"}; output:\n{output.strip()}')


def heals(cpu):
    """After a VM of 512 MiB, 50 VMs in a row and 4 at a time, the stage-2 is as before."""
    program(cpu, LARGE)


def stays_split(cpu):
    """Without coalescing the stage-2 stays split, so the check above can fail."""
    program(cpu, SMALL, KEEP)


CHECKS = (heals, stays_split)
