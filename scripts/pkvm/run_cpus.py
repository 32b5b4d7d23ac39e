#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Part of make test: make run and some selftests on the CPUs on which not all tests run.

All layers of make test run on two CPUs only. This part boots each of the other CPUs twice: once
for make run, and once for the selftests that have the mode "smoke" in tests.list. It also runs
make run on a host with 16 KiB pages, with a guest that has 4 KiB pages and with one that has
16 KiB pages.
"""

import argparse
import contextlib
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cpus  # noqa: E402
import qemu  # noqa: E402
import run  # noqa: E402
import run_selftests  # noqa: E402
import tree  # noqa: E402


LARGE = 16


def main_job(cpu, name, **more):
    """Run make run on one CPU and print the result as a TAP line. Return whether it passed."""
    problem = None
    try:
        with contextlib.redirect_stdout(sys.stderr):
            run.run(run.DISK, cpu, **more)
    except (run.RunError, qemu.QemuError) as error:
        problem = str(error)
    print(f'{"not " if problem else ""}ok {cpu}.{name}', flush=True)
    if problem:
        print('\n'.join('#   ' + line for line in problem.split('\n')), flush=True)
    return not problem


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cpus.add_option(parser)
    parser.add_argument('--jobs', default=str(os.cpu_count()))
    args = parser.parse_args()
    good = True
    try:
        names = [name for name, mode in run_selftests.programs() if mode == 'smoke']
        with tree.locked():
            run_selftests.build(names, args.jobs)
        for cpu in [args.cpu] if args.cpu else cpus.SMOKE:
            good = main_job(cpu, 'make_run') and good
            good = run_selftests.run(cpu, 'smoke', names) and good
        for cpu in [args.cpu] if args.cpu else cpus.LARGE_PAGES:
            good = main_job(cpu, 'large_pages', page=LARGE) and good
            good = main_job(cpu, 'large_pages_in_both', page=LARGE,
                            kernel=qemu.image(LARGE)) and good
    except (run_selftests.SelftestError, qemu.QemuError) as error:
        print('not ok cpus # ' + str(error).replace('\n', '\n#   '))
        return 1
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
