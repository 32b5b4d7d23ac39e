#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Layer 5 of make test: a guest that fuzzes the hypervisor with random calls.

What is run are the programs of tools/testing/selftests/kvm/arm64/tests.list
whose mode is fuzz, with a seed and a number of calls. The seed is printed, and
makes the guest make the same calls again. In CI they are few; make fuzz-guest
makes as many as one likes.
"""

import argparse
import os
import secrets
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import qemu  # noqa: E402
import run_selftests  # noqa: E402
import tree  # noqa: E402

CALLS = 100000
# Fewer calls a second than ever seen.
PACE = 500


def run_cpu(cpu, names, seed, calls):
    """Have a guest fuzz the hypervisor of one CPU; whether that stood it."""
    return run_selftests.run_seeded(
        cpu, names, seed, calls, seconds=calls // PACE, log='fuzz-guest',
        again=f'scripts/pkvm/run_fuzz_guest.py --cpu {cpu} --seed {seed:#x} --calls {calls}')


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--cpu', choices=sorted(qemu.CPUS), help='this CPU alone')
    parser.add_argument('--seed', type=lambda text: int(text, 0), help='default: a new one')
    parser.add_argument('--calls', type=int, default=CALLS, help='on each CPU')
    parser.add_argument('--jobs', default=str(os.cpu_count()))
    args = parser.parse_args()
    if args.calls < 1:
        parser.error('--calls: at least 1')
    seed = secrets.randbits(48) if args.seed is None else args.seed
    try:
        names = [name for name, mode in run_selftests.programs() if mode == 'fuzz']
        with tree.locked():
            run_selftests.build(names, args.jobs)
        good = True
        for cpu in [args.cpu] if args.cpu else sorted(qemu.CPUS):
            good = run_cpu(cpu, names, seed, args.calls) and good
    except (run_selftests.SelftestError, qemu.QemuError) as error:
        print('not ok fuzz-guest # ' + str(error).replace('\n', '\n#   '))
        return 1
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
