#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Layer 5 of make test: VMs under stress, on a host under pressure.

What is run are the programs of tools/testing/selftests/kvm/arm64/tests.list
whose mode is stress, with a seed and a number of seconds. The seed is printed,
and makes each process do the same again. In CI it is short; make stress takes
as long as one likes.
"""

import argparse
import os
import secrets
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import qemu  # noqa: E402
import run_selftests  # noqa: E402
import tree  # noqa: E402

SECONDS = 15
# Little, so that the host has to reclaim memory all the time.
MEMORY = 384


def run_cpu(cpu, names, seed, seconds):
    """Put a host with one CPU under stress; whether it took it."""
    return run_selftests.run_seeded(
        cpu, names, seed, seconds, seconds=seconds, log='stress', mem=MEMORY,
        again=f'scripts/pkvm/run_stress.py --cpu {cpu} --seed {seed:#x} --seconds {seconds}')


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--cpu', choices=sorted(qemu.CPUS), help='this CPU alone')
    parser.add_argument('--seed', type=lambda text: int(text, 0), help='default: a new one')
    parser.add_argument('--seconds', type=int, default=SECONDS, help='for each CPU')
    parser.add_argument('--jobs', default=str(os.cpu_count()))
    args = parser.parse_args()
    if args.seconds < 1:
        parser.error('--seconds: at least 1')
    seed = secrets.randbits(48) if args.seed is None else args.seed
    try:
        names = [name for name, mode in run_selftests.programs() if mode == 'stress']
        with tree.locked():
            run_selftests.build(names, args.jobs)
        good = True
        for cpu in [args.cpu] if args.cpu else sorted(qemu.CPUS):
            good = run_cpu(cpu, names, seed, args.seconds) and good
    except (run_selftests.SelftestError, qemu.QemuError) as error:
        print('not ok stress # ' + str(error).replace('\n', '\n#   '))
        return 1
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
