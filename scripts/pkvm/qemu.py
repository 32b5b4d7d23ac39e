#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Boot a host under QEMU, run jobs in it, and report their results.

As a program: qemu.py [options] 'COMMAND' ...   where each COMMAND is one job, a line that
tools/testing/init executes. As a module: boot().

A run does not hang, and names the cause if it fails: a panic of the kernel or of EL2, a warning of
the kernel, a time limit, or a host that ends before it has run all jobs. Each run has a temporary
directory of its own in build/, so that runs do not interfere.
"""

import argparse
import dataclasses
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import boards
import cpus
import devtree
import secure
import uboot
from console import PANIC, Console

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, 'build')
QEMU = os.environ.get('QEMU', 'qemu-system-aarch64')

# Before version 10 QEMU ignores some TLB invalidations of EL2 while HCR_EL2.E2H is 1, so that EL2
# would zero a wrong page. Before 8.1 it may execute old code after another CPU has patched it.
OLDEST = (10, 0)
# Our stand-in for secure firmware, for machines with a secure world.
SPMC = os.path.join(BUILD, 'spmc.bin')
# QEMU passes every key to the host, Ctrl-C included.
SERIAL = '-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'
# Of a disk that is a file in the host's root, in bytes.
LARGEST_FILE = 256 << 20
PROTECTED = 'kvm-arm.mode=protected'


class QemuError(Exception):
    """A run cannot start; the message says why."""


@dataclasses.dataclass
class Job:
    """One job of a run: its command line, exit status and output; None if it did not end."""
    line: str
    status: int = None
    output: str = ''
    timed_out: bool = False


@dataclasses.dataclass
class Run:
    """The result of a run. cause is None if the host ran all jobs to their end."""
    jobs: list
    console: str
    seconds: float
    cause: str = None


@functools.lru_cache(maxsize=None)
def version():
    """QEMU's version as (major, minor, patch level)."""
    try:
        text = subprocess.run([QEMU, '--version'], stdout=subprocess.PIPE, text=True,
                              check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise QemuError(f'{QEMU} cannot be run: {error}') from None
    found = re.search(r'version (\d+)\.(\d+)(?:\.(\d+))?', text)
    if not found:
        raise QemuError(f'{QEMU} printed no version: {text.strip()}')
    return tuple(int(number or 0) for number in found.groups())


def check_version():
    """Raise QemuError if QEMU is too old, with the commands that install a newer version."""
    have = version()
    if have >= OLDEST:
        return
    found, need = ('.'.join(map(str, number)) for number in (have, OLDEST))
    newer = subprocess.run([os.path.join(TOP, 'scripts/pkvm/deps.sh'), '--newer',
                            'qemu-system-arm'], stdin=subprocess.DEVNULL, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    raise QemuError(f'{shutil.which(QEMU) or QEMU} is QEMU {found}: too old, {need} is needed.\n'
                    + newer.stdout.rstrip())


def check_interrupts(board):
    """Refuse to run Linux in a VM on a board where QEMU gives VMs no interrupts."""
    need = boards.BOARDS[board].interrupts_since
    if version() < need:
        have, need = ('.'.join(map(str, number)) for number in (version(), need))
        raise QemuError(f'QEMU {have} is too old for Linux in a VM on board {board}: before {need} '
                        'VMs get no interrupts there. Debian 13 has a newer one')


def image(page=4):
    """Return the path of the kernel for a host with pages of this size in KiB."""
    return os.path.join(BUILD, 'Image' if page == 4 else f'Image.{page}k')


def machine(board, what):
    """Return the value of -M for a board and a CPU of cpus.py, which a board may have itself."""
    return ','.join(filter(None, [board.machine, '' if board.cpu else what.machine]))


def command_line(options, initrd):
    """Return QEMU's arguments for these options."""
    check_version()
    board, what = boards.BOARDS[options.board], boards.cpu(options.board, options.cpu)
    model = what.model
    append = ' '.join(filter(None, [
        f'console={board.console} panic=-1', '' if options.verbose else 'quiet',
        PROTECTED if options.mode == 'protected' else '',
        what.words, options.append]))
    if options.icount:
        model += ',cntfrq=1000000000'
    args = [QEMU, '-M', machine(board, what), *([] if board.cpu else ['-cpu', model]),
            '-smp', str(board.smp or options.smp),
            '-m', str(options.mem), '-nographic', '-nodefaults', '-no-reboot',
            *['-serial', 'null'] * board.uarts, *SERIAL,
            '-kernel', options.kernel, '-initrd', initrd, '-append', append]
    if board.tree:
        args += ['-dtb', os.path.join(BUILD, board.tree)]
    if options.icount:
        args += ['-icount', 'shift=0,sleep=off']
    else:
        args += ['-accel', 'tcg,thread=multi']
    for number, drive in enumerate(options.drive):
        path = drive.removesuffix(',ro')
        readonly = ',readonly=on' if path != drive else ''
        # QEMU requires a comma in a value to be doubled.
        path = path.replace(',', ',,')
        args += ['-drive', f'file={path},format=raw,if=none,id=drive{number}{readonly}',
                 '-device', f'{board.disk},drive=drive{number}']
    for device in board.devices:
        args += ['-device', device]
    return args


def failing_disk(scratch, path, sector):
    """An entry for boot()'s drive: an image, read-only, with one sector that cannot be read.

    How QEMU is to make it fail is in a file in scratch.
    """
    rules = os.path.join(scratch, 'blkdebug')
    with open(rules, 'w') as file:
        file.write(f'[inject-error]\nevent = "read_aio"\nerrno = "5"\nsector = "{sector}"\n')
    return f'blkdebug:{rules}:{path},ro'


def make_initrd(scratch, base, jobs, files):
    """Write an initrd of the host's root and an archive with jobs and files. Return its path."""
    job_file = os.path.join(scratch, 'jobs')
    with open(job_file, 'w') as file:
        file.write(''.join(job + '\n' for job in jobs))
    entries = ['dir /etc 0755 0 0', f'file /etc/jobs {job_file} 0644 0 0']
    folders = {'/', '/etc'}
    for target, source in files.items():
        if not os.path.isfile(source):
            raise QemuError(f'{source}, wanted as {target} in the host, is missing')
        folder = os.path.dirname(target)
        missing = []
        while folder not in folders:
            folders.add(folder)
            missing.append(f'dir {folder} 0755 0 0')
            folder = os.path.dirname(folder)
        mode = '0755' if os.access(source, os.X_OK) else '0644'
        entries += reversed(missing)
        entries.append(f'file {target} {os.path.abspath(source)} {mode} 0 0')
    listing = os.path.join(scratch, 'list')
    with open(listing, 'w') as file:
        file.write('\n'.join(entries) + '\n')
    initrd = os.path.join(scratch, 'initrd')
    with open(initrd, 'wb') as out:
        with open(base, 'rb') as root:
            shutil.copyfileobj(root, out)
        # The kernel expects the next archive at a multiple of four.
        out.write(b'\0' * (-out.tell() % 4))
        out.flush()
        subprocess.run([os.path.join(BUILD, 'gen_init_cpio'), listing], stdout=out, check=True)
    return initrd


def parse_jobs(lines, console):
    """Return the jobs with their results, from the console output."""
    jobs = [Job(line) for line in lines]
    for number, job in enumerate(jobs, 1):
        start = re.search(rf'^@@ start {number} .*$\n?', console, re.M)
        if not start:
            break
        rest = console[start.end():]
        end = re.search(rf'^@@ exit {number} (\d+)$', rest, re.M)
        job.output = rest[:end.start()] if end else rest
        if end:
            job.status = int(end.group(1))
        job.timed_out = bool(re.search(rf'^@@ limit {number} ', job.output, re.M))
    return jobs


def by_loader(args, board, scratch, dialog, *, firmware, mem, regions, page, spmc):
    """Return arguments and dialog for a machine whose boot loader brings what boot() describes."""
    try:
        base = None
        if board.disabled:
            args = devtree.with_disabled(args, board.machine, board.disabled, scratch)
        if firmware:
            # The end of RAM is U-Boot's own.
            args, base = devtree.with_firmware(args, board.machine, firmware,
                                               mem // 2 if board.uboot else mem, scratch, regions,
                                               page << 10)
        if board.uboot:
            return uboot.with_uboot(args, board.machine, scratch, firmware, base, dialog)
        if firmware:
            args += devtree.loader(firmware, base)
        if spmc:
            args = secure.with_spmc(args, board.machine, scratch, spmc)
    except (devtree.DevtreeError, OSError) as error:
        what = 'secure firmware' if spmc else 'guest firmware' if firmware else 'these devices'
        raise QemuError(f'no machine with {what}: {error}') from None
    return args, dialog


def boot(jobs, *, cpu=cpus.DEFAULT, smp=2, mem=1024, mode='protected', kernel=None, initrd=None,
         files=None, drive=(), append='', limit=120, icount=False, verbose=False,
         log=None, echo=False, tolerate_warnings=False, dialog=None, terminal=False,
         firmware=None, regions=None, page=4, spmc=None, board=boards.DEFAULT):
    """Boot a host, run the jobs, power off: a Run.

    mem is in MiB, limit in seconds of real time, files maps a path in the host
    to a file here, drive lists images (",ro" behind one makes it read-only).
    dialog is called with the Console, before it is read to its end; with terminal, whoever
    sits at ours types. firmware is the file of a guest firmware that a boot loader has left
    in memory, regions what devtree.with_firmware() takes, page the size of the host's
    pages in KiB, by which its kernel is chosen if none is given. spmc is the file of a secure
    firmware that the machine starts in. On a board without disks, boards.disk() names the
    files that stand for drives. Raises QemuError for what keeps the run from
    starting; what goes wrong later is the Run's cause.
    """
    options = argparse.Namespace(
        board=board, cpu=cpu, smp=smp, mem=mem, mode=mode, append=append, drive=drive,
        icount=icount, verbose=verbose, kernel=kernel or image(page))
    initrd = initrd or os.path.join(BUILD, 'initramfs.cpio.gz')
    what = boards.BOARDS[board]
    for path in (options.kernel, initrd, *([os.path.join(BUILD, what.tree)] if what.tree else [])):
        if not os.path.isfile(path):
            raise QemuError(f'{path} is missing: run make first')
    if page not in boards.cpu(board, cpu).pages:
        raise QemuError(f'CPU {boards.cpu(board, cpu).model} has no pages of {page} KiB')
    files = dict(files or {})
    if not what.disks:
        paths = [path.removesuffix(',ro') for path in drive]
        for path in paths:
            if os.path.getsize(path) > LARGEST_FILE:
                raise QemuError(f'{path}: the disk of board {board} is a file in its memory, and '
                                f'can have {LARGEST_FILE >> 20} MiB at most')
        files.update((boards.disk(board, number), path) for number, path in enumerate(paths))
        options.drive = ()
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix='run.', dir=BUILD) as scratch:
        args = command_line(options, make_initrd(scratch, initrd, jobs, files))
        args, dialog = by_loader(args, what, scratch, dialog, firmware=firmware, mem=mem,
                                 regions=regions, page=page, spmc=spmc)
        try:
            with Console(args, limit, echo) as machine:
                cause = machine.follow(dialog, terminal)
        except OSError as error:
            raise QemuError(f'{QEMU} does not start: {error}') from None
    console = machine.text()
    if log:
        with open(log, 'w') as file:
            file.write(console)
    run = Run(parse_jobs(jobs, console), console, time.monotonic() - start, cause)
    if run.cause is None:
        run.cause = find_cause(run, tolerate_warnings)
    return run


def find_cause(run, tolerate_warnings):
    """Return why a run that ended by itself has failed, or None."""
    late = [job for job in run.jobs if job.timed_out]
    if late:
        return f'job "{late[0].line}" was killed at its time limit'
    if not re.search(r'^@@ done \d+$', run.console, re.M):
        open_jobs = [job for job in run.jobs if job.status is None]
        where = f' in job "{open_jobs[0].line}"' if open_jobs else ''
        panic = PANIC.search(run.console)
        said = panic.group(0) if panic else (run.console.strip().split('\n')[-1] or 'nothing')
        return f'the host ended early{where}; its last output was: {said.strip()}'
    warned = PANIC.search(run.console)
    if warned and not tolerate_warnings:
        return f'the host kernel printed: {warned.group(0).strip()}'
    return None


def run_guest_tests(doc, option, default, text, run):
    """Parse the options of a program that tests guests in both kinds of VM, and run it.

    doc is the program's docstring; option, default and text describe its option for what it tests.
    run() gets the option's value, the CPU and the kinds of VM, and returns whether a test failed.
    Return the exit status.
    """
    modes = ['plain', 'protected']
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument(option, dest='subject', metavar='PATH', default=default, help=text)
    cpus.add_option(parser, cpus.DEFAULT)
    parser.add_argument('--mode', action='append', choices=modes,
                        help='only VMs of this kind; default: both')
    args = parser.parse_args()
    try:
        return 1 if run(args.subject, args.cpu, args.mode or modes) else 0
    except (QemuError, OSError, subprocess.CalledProcessError) as error:
        print(f'Bail out! {error}')
        return 1


def main():
    parser = argparse.ArgumentParser(
        description='Boot a host under QEMU and run jobs in it.',
        epilog='Each COMMAND is one job; see tools/testing/init/main.c for the commands.')
    parser.add_argument('command', nargs='*', metavar='COMMAND')
    boards.add_option(parser)
    cpus.add_option(parser, cpus.DEFAULT)
    parser.add_argument('--smp', type=int, default=2, help='number of CPUs of the host')
    parser.add_argument('--mem', type=int, default=1024, help='memory of the host in MiB')
    parser.add_argument('--mode', choices=['protected', 'plain'], default='protected',
                        help='with or without kvm-arm.mode=protected')
    parser.add_argument('--kernel', help='default build/Image')
    parser.add_argument('--initrd', help='default build/initramfs.cpio.gz')
    parser.add_argument('--file', action='append', default=[], metavar='PATH=SOURCE',
                        help='copy SOURCE to PATH in the host (repeatable)')
    parser.add_argument('--drive', action='append', default=[], metavar='IMAGE[,ro]',
                        help='a disk of the host: /dev/vda, ... (repeatable)')
    parser.add_argument('--append', default='', help='more kernel parameters')
    parser.add_argument('--limit', type=int, default=120, help='time limit in seconds')
    parser.add_argument('--firmware', metavar='FILE',
                        help='put this guest firmware into reserved memory')
    parser.add_argument('--spmc', metavar='FILE', nargs='?', const=SPMC,
                        help='start in this secure firmware (default build/spmc.bin)')
    parser.add_argument('--icount', action='store_true',
                        help='let the guest clock count instructions instead of time')
    parser.add_argument('--verbose', action='store_true', help='print all kernel messages')
    parser.add_argument('--log', help='write the console output to this file, too')
    args = vars(parser.parse_args())
    files = dict(item.split('=', 1) for item in args.pop('file'))
    try:
        run = boot(args.pop('command'), files=files, echo=True, **args)
    except QemuError as error:
        print(f'qemu.py: error: {error}', file=sys.stderr)
        return 1
    if run.cause:
        print(f'qemu.py: error: {run.cause}', file=sys.stderr)
        return 1
    failed = [job for job in run.jobs if job.status]
    for job in failed:
        print(f'qemu.py: job "{job.line}" ended with status {job.status}', file=sys.stderr)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
