#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Check that QEMU can run a host with these options, before anything is built for it.

deps.sh has checked before that the packages and their files are installed.
"""

import argparse
import subprocess
import sys

import boards
import cpus
import qemu


def offered(option):
    """Return the values that QEMU knows for an option: the first words of its help."""
    try:
        text = subprocess.run([qemu.QEMU, option, 'help'], stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise qemu.QemuError(f'{qemu.QEMU} cannot be run: {error}') from None
    return {line.split()[0] for line in text.split('\n') if line.strip()}


def check(board, cpu, pages):
    """Raise QemuError unless QEMU is new enough and knows machine, CPU and page sizes."""
    qemu.check_version()
    what = boards.cpu(board, cpu)
    for option, name in ('-M', boards.BOARDS[board].machine), ('-cpu', what.model):
        name = name.split(',', maxsplit=1)[0]
        if name not in offered(option):
            raise qemu.QemuError(f'{qemu.QEMU} knows no {option} {name}')
    for page in set(pages) - set(what.pages):
        fit = ', '.join(name for name, other in sorted(cpus.CPUS.items()) if page in other.pages)
        where = f'board {board}' if boards.BOARDS[board].cpu else f'CPU {cpu}'
        raise qemu.QemuError(f'{where} has no pages of {page} KiB; these CPUs have: {fit}')
    qemu.check_interrupts(board)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    boards.add_host_options(parser)
    parser.add_argument('--list', choices=['cpus', 'boards'], help='only list these')
    args = boards.parse(parser)
    if args.list:
        print({'cpus': cpus, 'boards': boards}[args.list].listing(' ' * 14))
        return 0
    try:
        check(args.board, args.cpu, [args.page, args.guest_page])
    except qemu.QemuError as error:
        print(f'{sys.argv[0].rpartition("/")[2]}: error: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
