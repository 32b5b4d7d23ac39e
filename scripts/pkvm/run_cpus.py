#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Part of make test: make run and some selftests on CPUs and boards on which not all tests run.

All layers of make test run on two CPUs only. This part boots each of the other CPUs twice: once
for make run, and once for the selftests that have the mode "smoke" in tests.list. It also runs
make run on a host with 16 KiB pages, with guests that have 4 KiB pages and 16 KiB pages, and
make run on the other boards.
"""

import argparse
import contextlib
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import boards  # noqa: E402
import counters  # noqa: E402
import cpus  # noqa: E402
import qemu  # noqa: E402
import run  # noqa: E402
import run_linux  # noqa: E402
import run_selftests  # noqa: E402
import tree  # noqa: E402


LARGE = 16
# Seconds of the firmware alone.
LIMIT = 150


def reported(name, job, *args, **more):
    """Call a function that does a job or raises, and print a TAP line. Return whether it passed."""
    problem = None
    try:
        with contextlib.redirect_stdout(sys.stderr):
            job(*args, **more)
    except (run.RunError, qemu.QemuError) as error:
        problem = str(error)
    print(f'{"not " if problem else ""}ok {name}', flush=True)
    if problem:
        print('\n'.join('#   ' + line for line in problem.split('\n')), flush=True)
    return not problem


def firmware_alone(board):
    """Run the firmware in a protected VM on a board. It reads a disk and needs no interrupt."""
    disk = os.path.join(qemu.BUILD, 'disk.img')
    log = os.path.join(qemu.BUILD, f'log/firmware-{board}.log')
    host = qemu.boot(counters.around([f'/vmm --protected --host-firmware --timeout {LIMIT} '
                                      f'--disk {boards.disk(board)},ro']), board=board,
                     drive=[disk + ',ro'], firmware=run.FIRMWARE, limit=LIMIT + 60, log=log)
    with run.with_console(host, log):
        run.check_vm(host.jobs[1], host)
        run.check_guest(host.jobs[1].output, os.path.getsize(disk), run.digest(disk))
        run.check_host(counters.over(host))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cpus.add_option(parser)
    parser.add_argument('--jobs', default=str(os.cpu_count()))
    run_selftests.add_vms_option(parser)
    args = parser.parse_args()
    good = True
    try:
        names = [name for name, mode in run_selftests.programs() if mode == 'smoke']
        with tree.locked():
            run_selftests.build(names, args.jobs)
        for cpu in [args.cpu] if args.cpu else cpus.SMOKE:
            good = reported(f'{cpu}.make_run', run.run, run.DISK, cpu) and good
            good = run_selftests.run(cpu, 'smoke', names, args.vms) and good
        for cpu in [args.cpu] if args.cpu else cpus.LARGE_PAGES:
            good = reported(f'{cpu}.large_pages', run.run, run.DISK, cpu, page=LARGE) and good
            good = reported(f'{cpu}.large_pages_in_both', run.run, run.DISK, cpu, page=LARGE,
                            guest_page=LARGE) and good
            good = reported(f'{cpu}.large_pages_linux', run_linux.run_guest, run_linux.ROOT,
                            run_linux.Guest(cpu, page=LARGE, guest_page=LARGE)) and good
        for board in [] if args.cpu else sorted(set(boards.BOARDS) - {boards.DEFAULT}):
            good = reported(f'{board}.firmware', firmware_alone, board) and good
            if qemu.version() < boards.BOARDS[board].interrupts_since:
                print(f'ok {board}.make_run # SKIP QEMU gives VMs no interrupts there')
            else:
                good = reported(f'{board}.make_run', run.run, run.DISK, cpus.DEFAULT,
                                board=board) and good
    except (run_selftests.SelftestError, qemu.QemuError) as error:
        print('not ok cpus # ' + str(error).replace('\n', '\n#   '))
        return 1
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
