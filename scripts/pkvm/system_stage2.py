# SPDX-License-Identifier: GPL-2.0-only
"""Checks of run_system.py: a VM that died left the host's stage-2 as it was."""

import os

import qemu
import run
import run_selftests
import tree

PROGRAM = 'arm64/pkvm_coalesce'
# MiB of the VM, and of its host; without coalescing a smaller one shows it as well.
LARGE, SMALL = (512, 1536), (64, 512)
# Seconds for all of it, on a machine that does other things as well.
LIMIT = 540
KEEP = 'kvm-arm.host_s2_coalesce=0'


def program(cpu, size, append=''):
    """Run the program on a host; its figures are told, and a result that is not ok raises."""
    with tree.locked():
        run_selftests.build([PROGRAM], str(os.cpu_count()))
    name, (vm, memory) = os.path.basename(PROGRAM), size
    host = qemu.boot([f'limit={LIMIT} /{name} {vm}'], kernel=run_selftests.TEST_IMAGE,
                     cpu=cpu, smp=4, mem=memory, append=append, limit=LIMIT + 60,
                     files={f'/{name}': os.path.join(run_selftests.OUTPUT, PROGRAM)},
                     log=os.path.join(qemu.BUILD, f'log/system-stage2-{cpu}.log'))
    output = host.jobs[0].output if host.jobs else host.console
    for line in output.split('\n'):
        if line.startswith('# ') and 'Totals' not in line:
            print(f'# {cpu}{" " + append if append else ""}: {line[2:]}')
    if host.cause or host.jobs[0].status:
        raise run.RunError(f'{host.cause or "a result is not ok"}; it said:\n{output.strip()}')


def heals(cpu):
    """After 512 MiB, 50 VMs one by one, and 4 at once, all is as before the first."""
    program(cpu, LARGE)


def stays_split(cpu):
    """Without coalescing it is not: the check above can see a difference."""
    program(cpu, SMALL, KEEP)


CHECKS = (heals, stays_split)
