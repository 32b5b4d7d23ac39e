# SPDX-License-Identifier: GPL-2.0-only
"""Run the test programs that take a seed and an amount, on a host that must survive them.

The programs are those of one mode in tools/testing/selftests/kvm/arm64/tests.list. If one fails,
the script prints the command that repeats the run with the same seed.
"""

import argparse
import dataclasses
import os
import secrets
import sys

import cpus
import qemu
import run_selftests
import tree

# Extra time in seconds for booting, for the teardown of the last VMs, and for the report.
SPARE = 120


@dataclasses.dataclass(frozen=True)
class Kind:
    """A mode of tests.list, and what its programs take: an amount in a unit, done at a pace.

    pace is the amount per second, mem the memory of the host in MiB.
    """
    mode: str
    script: str
    unit: str
    amount: int
    pace: float = 1
    mem: int = 1024


def run_cpu(kind, cpu, names, seed, amount):
    """Run the programs on a host with this CPU. Return whether all passed."""
    limit = int(amount / kind.pace) + SPARE
    script = os.path.splitext(kind.script)[0].removeprefix('run_').replace('_', '-')
    host = qemu.boot([f'limit={limit} /selftests/{name} {seed:#x} {amount}' for name in names],
                     kernel=run_selftests.TEST_IMAGE, cpu=cpu, smp=4, mem=kind.mem,
                     limit=limit * len(names) + SPARE,
                     log=os.path.join(qemu.BUILD, f'log/{script}-{cpu}.log'),
                     files={f'/selftests/{name}': os.path.join(run_selftests.OUTPUT, name)
                            for name in names})
    good = True
    for name, job in zip(names, host.jobs):
        for line in job.output.split('\n'):
            if line.startswith('#'):
                print(line)
        good = run_selftests.tell(f'{cpu}.{os.path.basename(name)}', job) and good
    print(f'{"not " if host.cause else ""}ok {cpu}.host_lives' +
          (f' # {host.cause}' if host.cause else ''))
    if not good or host.cause:
        for line in host.console.strip().split('\n')[-60:]:
            print(f'#   {line}')
        print(f'# to repeat: scripts/pkvm/{kind.script} --cpu {cpu} --seed {seed:#x} '
              f'--{kind.unit} {amount}')
    sys.stdout.flush()
    return good and not host.cause


def main(doc, kind):
    """Be the main function of a script with this docstring; return its exit status."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    cpus.add_option(parser)
    parser.add_argument('--seed', type=lambda text: int(text, 0), help='default: a random seed')
    parser.add_argument(f'--{kind.unit}', dest='amount', type=int, default=kind.amount,
                        help=f'number of {kind.unit} on each CPU')
    parser.add_argument('--jobs', default=str(os.cpu_count()))
    args = parser.parse_args()
    if args.amount < 1:
        parser.error(f'--{kind.unit}: at least 1')
    seed = secrets.randbits(48) if args.seed is None else args.seed
    try:
        names = [name for name, mode in run_selftests.programs() if mode == kind.mode]
        with tree.locked():
            run_selftests.build(names, args.jobs)
        good = True
        for cpu in [args.cpu] if args.cpu else cpus.WHOLE:
            good = run_cpu(kind, cpu, names, seed, args.amount) and good
    except (run_selftests.SelftestError, qemu.QemuError) as error:
        print(f'not ok {kind.mode} # ' + str(error).replace('\n', '\n#   '))
        return 1
    return 0 if good else 1
