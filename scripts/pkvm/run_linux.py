#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""make run GUEST=linux: run Linux as a protected VM, up to a shell.

The script boots a host and starts one protected VM with several vCPUs, with the guest's kernel
and its root on the virtio disk. It types commands into the guest's shell on the UART, which print
the online CPUs, the device of the root and the SHA-256 of the disk, and then poweroff. It checks
the answers, and that all pages came back to the host. It prints a short report and exits with 0,
or prints the cause of a failure.

With --windows N the host plugs in that many windows one after the other while the guest runs. A
program of the host and one of the guest exchange data through each, and the host pulls it out.

With --interactive your terminal is connected to the shell, until you type poweroff.
"""

import argparse
import dataclasses
import os
import re
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import boards  # noqa: E402
import console  # noqa: E402
import counters  # noqa: E402
import cpus  # noqa: E402
import qemu  # noqa: E402
import run  # noqa: E402
from run import RunError  # noqa: E402

GUEST = os.path.join(qemu.BUILD, 'guest')
KERNEL = os.path.join(GUEST, 'Image')
# The kernel of the base without our patches: its driver shares single granules only and does not
# enroll in the MMIO guard.
STOCK_KERNEL = os.path.join(qemu.BUILD, 'stock/Image')
ROOT = os.path.join(GUEST, 'root.img')
# A protected guest must not rely on random numbers from the host.
CMDLINE = ('console=ttyS0 root=/dev/vda ro quiet random.trust_bootloader=off '
           'random.trust_cpu=off')
CPUS = 4
# Time limits in seconds: for one boot of the guest on a slow machine, and the longest of a job.
LIMIT = 150
LONGEST = 24 * 3600 - 60

QUESTIONS = {
    'version': 'cat /proc/version',
    'online': 'cat /sys/devices/system/cpu/online',
    'nproc': 'nproc',
    'page': 'grep -m1 KernelPageSize /proc/self/smaps',
    'disk': 'cat /sys/block/vda/dev',
    'root': 'grep " / / " /proc/self/mountinfo',
    # Not through the page cache, which has blocks that the mounted file system has changed.
    'sha': 'dd if=/dev/vda iflag=direct bs=64k 2>/tmp/dd | sha256sum',
    'shell': 'echo "$0 of $(hostname) says $((6 * 7))"',
}
# The guest's program that uses windows until there are no more, and the host's, which has the VMM
# plug them in and pull them out.
WINDOWS = 'windows'
WINDOWS_HOST = os.path.join(qemu.BUILD, 'windows_host')
# The smallest of so many has 16 KiB.
MOST_WINDOWS = 8
SOCKET = '/tmp/control'
POOL = 'dmesg | grep "created restricted DMA pool"'
SHELL_SAYS = '-/bin/sh of guest says 42'


@dataclasses.dataclass
class Guest:
    """The VM to run; the host's CPU, the mode of KVM in the host, and its page size in KiB."""
    cpu: str = cpus.DEFAULT
    cpus: int = CPUS
    mem: int = 256
    protected: bool = True
    mode: str = 'protected'
    options: str = ''
    limit: int = LIMIT
    kernel: str = KERNEL
    page: int = 4
    board: str = boards.DEFAULT
    guest_page: int = 4
    windows: int = 0

    def __post_init__(self):
        if self.guest_page != 4:
            self.kernel = qemu.image(self.guest_page)

    def host(self):
        """The host's name, for logs."""
        return boards.host(self.board, self.cpu, self.page)

    def job(self, disk=''):
        """The line that makes the host's init run it; disk follows the name of the disk."""
        disk = boards.disk(self.board) + disk
        flag = '--protected ' if self.protected else ''
        vmm = '/vmm'
        if self.windows:
            vmm = f'/windows_host {self.windows} {SOCKET} /vmm'
            flag += f'--control {SOCKET} '
        return (f'limit={self.limit + 10} console {vmm} {flag}--kernel /guest '
                f'--cmdline "{CMDLINE}" --cpus {self.cpus} --mem {self.mem} --disk {disk} '
                f'--stats /tmp/stats --timeout {self.limit} {self.options}').rstrip()


def check_built(kernel=KERNEL):
    """The guest's kernel and root must be there."""
    for path in (kernel, ROOT):
        if not os.path.isfile(path):
            target = os.path.relpath(path, qemu.TOP) if path == kernel != KERNEL else 'guest'
            raise RunError(f'{path} is missing: run make {target} first')


def boot(jobs, guest, name, *, drive, dialog=None, **more):
    """Boot a host with disks and the guest's kernel at /guest, and run counters.around(jobs)."""
    qemu.check_interrupts(guest.board)
    files = {'/guest': guest.kernel}
    if guest.windows:
        files['/windows_host'] = WINDOWS_HOST
    return qemu.boot(counters.around(jobs), board=guest.board, cpu=guest.cpu, mode=guest.mode,
                     page=guest.page, drive=drive, dialog=dialog, files=files,
                     log=os.path.join(qemu.BUILD, 'log', f'{name}-{guest.host()}.log'), **more)


def answers(shell):
    """Return what the guest's shell printed, by command; raise RunError if a command failed."""
    for answer in shell.answers:
        if answer.status is None:
            raise RunError(f'the guest did not finish the command "{answer.command}"')
        if answer.status:
            raise RunError(f'in the guest, "{answer.command}" ended with status '
                           f'{answer.status}: {answer.output.strip()}')
    if shell.waiting or not shell.answers:
        raise RunError('the guest did not start a shell')
    return {answer.command: answer.output for answer in shell.answers}


def check_answers(said, guest, sha):
    """Check the guest's answers; return them by the keys of QUESTIONS."""
    answers = {key: said[command] for key, command in QUESTIONS.items()}
    if not re.match(r'Linux version 6\.12\.\d+', answers['version']):
        raise RunError(f'the guest is not Linux 6.12: {answers["version"]}')
    if answers['nproc'] != str(guest.cpus):
        raise RunError(f'{answers["nproc"]} CPUs are online in the guest, not {guest.cpus}')
    if answers['page'].split() != ['KernelPageSize:', str(guest.guest_page), 'kB']:
        raise RunError(f'the pages of the guest do not have {guest.guest_page} KiB: '
                       f'{answers["page"]}')
    if answers['root'].split()[2] != answers['disk'] or ' - ext4 ' not in answers['root']:
        raise RunError(f'the root of the guest is not on its disk: {answers["root"]}')
    if answers['sha'].split()[0] != sha:
        raise RunError(f'the guest read other data: it printed the SHA-256 '
                       f'{answers["sha"].split()[0]}, but that of the image is {sha}')
    if answers['shell'] != SHELL_SAYS:
        raise RunError(f'the shell of the guest printed "{answers["shell"]}", not "{SHELL_SAYS}"')
    return answers


def check_windows(guest, output, vmm, gained):
    """Check that guest and host used all windows; return the report's lines of them.

    output is that of the VM's job, vmm the VMM's counters, and gained is None for a non-protected
    VM.
    """
    if not re.search(rf'^windows: {guest.windows} exchanged, ', output, re.M):
        raise RunError('guest and host did not use the windows: ' + (' / '.join(
            re.findall(r'^windows: .*$', output, re.M)) or 'they printed nothing'))
    # The host plugs in one more, by which it tells the guest that there are no more.
    added, removed = vmm['windows_added'] - 1, vmm['windows_removed']
    if (added, removed) != (guest.windows, guest.windows):
        raise RunError(f'{added} windows were plugged in and {removed} pulled out, not '
                       f'{guest.windows}')
    lines = [f'windows    {added} plugged in, {removed} pulled out while the guest used them; in '
             f'its address space {vmm["window_maps"]} times']
    if gained:
        shared, back = gained['window_pages_shared'], gained['window_pages_unshared']
        if not shared or shared != back:
            raise RunError(f'the guest got {shared} pages of windows, and the host has {back} '
                           'back')
        lines.append(f'           {shared} pages of the host shared by faults; all came back')
    return lines


def report(guest, answers, pool, vmm, gained, seconds):
    """Print the report of a run."""
    print(f'guest      {answers["version"]}')
    print(f'CPUs       {answers["nproc"]} of {guest.cpus} online: {answers["online"]}; pages of '
          f'{guest.guest_page} KiB')
    print(f'root       ext4 on /dev/vda; sha256 {answers["sha"].split()[0]}, that of the image')
    print(f'shell      "{answers["shell"]}", then poweroff')
    if guest.protected:
        calls = {key.removeprefix('calls_'): value for key, value in gained.items()
                 if key.startswith('calls_') and value}
        print(f'shared     {gained["pages_shared"]} pages, including its DMA pool of {pool} MiB')
        print(f'hypercalls {sum(calls.values())}: '
              + ', '.join(f'{value} {key}' for key, value in calls.items()))
    run.report_vm(vmm, gained, seconds)


def run_guest(path, guest, name='run-linux'):
    """Do one scripted run: print the report, or raise RunError.

    Return the increase of the host's counters, or None for a non-protected VM.
    """
    check_built(guest.kernel)
    run.check_disk(path)
    sha = run.digest(path)
    questions = [*([WINDOWS] if guest.windows else []), *QUESTIONS.values(),
                 *([POOL] if guest.protected else [])]
    shell = console.Shell(questions)
    host = boot([guest.job(',ro'), 'cat /tmp/stats'], guest, name, drive=[path + ',ro'],
                dialog=shell, limit=guest.limit + 60)
    _, vm, vmm, _ = host.jobs
    with run.with_console(host, f'build/log/{name}-{guest.host()}.log'):
        run.check_vm(vm, host)
        said = answers(shell)
        checked = check_answers(said, guest, sha)
        gained, pool = None, 0
        if guest.protected:
            gained = run.check_returned(counters.over(host))
            pool = int(re.search(r'size (\d+) MiB', said[POOL]).group(1))
            if gained['pages_shared'] < (pool << 10) // guest.page:
                raise RunError(f'the guest shared {gained["pages_shared"]} pages, less than its '
                               f'DMA pool of {pool} MiB')
        stats = counters.parse(vmm.output)
        windows = check_windows(guest, vm.output, stats, gained) if guest.windows else []
        report(guest, checked, pool, stats, gained, host.seconds)
        print(''.join(line + '\n' for line in windows), end='')
    return gained


def run_interactive(path, guest):
    """Connect our terminal to the guest's shell. The guest can write to its disk."""
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        raise RunError('INTERACTIVE=1 needs a terminal')
    check_built(guest.kernel)
    run.check_disk(path)
    print('This is the shell of the guest: poweroff shuts the guest down, Ctrl-] ends the run.',
          flush=True)
    host = boot([guest.job()], guest, 'run-linux', drive=[path], limit=LONGEST, terminal=True)
    run.check_vm(host.jobs[1], host)
    if guest.protected:
        gained = run.check_returned(counters.over(host))
        print(f'reclaimed  {gained["pages_reclaimed_private"]} private pages zeroed, '
              f'{gained["pages_reclaimed_shared"]} shared, of {gained["pages_donated"]} donated')


def parse_windows(text, interactive):
    """Return the number of windows that WINDOW= asks for, 0 without it."""
    if not text:
        return 0
    if not re.fullmatch('[0-9]+', text) or not 1 <= int(text) <= MOST_WINDOWS:
        raise RunError(f'WINDOW={text}: not a number from 1 to {MOST_WINDOWS}')
    if interactive:
        raise RunError('WINDOW= and INTERACTIVE=1 do not work together')
    return int(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    boards.add_host_options(parser)
    parser.add_argument('--cpus', type=int, default=CPUS, help='vCPUs of the guest')
    parser.add_argument('--mem', type=int, default=256, help='MiB of the guest')
    parser.add_argument('--disk', help='the root, an ext4 image; default build/guest/root.img')
    parser.add_argument('--non-protected', action='store_true', help='run a non-protected VM')
    parser.add_argument('--interactive', action='store_true',
                        help='connect this terminal to the shell')
    parser.add_argument('--windows', metavar='N', help='exchange data by so many windows')
    args = boards.parse(parser)
    guest = Guest(args.cpu, args.cpus, args.mem, not args.non_protected, page=args.page,
                  board=args.board, guest_page=args.guest_page)
    try:
        guest.windows = parse_windows(args.windows, args.interactive)
        if not args.interactive:
            run_guest(os.path.abspath(args.disk or ROOT), guest)
        elif args.disk and not boards.BOARDS[args.board].disks:
            raise RunError(f'DISK= keeps what is written, but board {args.board} has its disk in '
                           'memory')
        elif args.disk:
            guest.limit = LONGEST
            run_interactive(os.path.abspath(args.disk), guest)
        else:
            # Run on a copy, so that the guest does not change the image of the build.
            guest.limit = LONGEST
            check_built()
            with tempfile.NamedTemporaryFile(dir=qemu.BUILD, prefix='disk.') as copy:
                shutil.copyfile(ROOT, copy.name)
                run_interactive(copy.name, guest)
    except (RunError, counters.Unbalanced, qemu.QemuError) as error:
        print(f'make run: error: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
