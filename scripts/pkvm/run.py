#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""make run: start a VM in our firmware, which reads its disk and boots Linux.

The script boots a host with our firmware in reserved memory, as a boot loader would leave it, and
starts one protected VM with a disk image, a kernel and an initrd. EL2 loads the firmware into the
VM. The firmware's configuration contains the digests of kernel and initrd.

The script checks that the firmware printed the SHA-256 of the image, that no page stayed shared,
that Linux booted, found the same disk, and mounted it if it is ext4, and that all pages came back
to the host. It prints a short report and exits with 0, or prints the cause of a failure.

With --mode static the VM is not protected: the VMM loads the same firmware, which copies all I/O
through a fixed range of memory that the device tree names.
"""

import argparse
import contextlib
import hashlib
import os
import re
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(TOP, where) for where in
                ('scripts/pkvm', 'tools/pvmfw', 'tools/testing/stage2')]
import boards  # noqa: E402
import counters  # noqa: E402
import pvmfw_config  # noqa: E402
import qemu  # noqa: E402
import stage2  # noqa: E402

TABLES = '/sys/kernel/debug/kvm/host_stage2_page_tables'
SWEEP = '/sys/kernel/debug/kvm/host_stage2_sweep'
# The VM is stopped, to dump the host's stage-2, when the host has donated this many KiB to it.
LOOK_AT = 20000
PICTURE = os.path.join(qemu.BUILD, 'stage2')
SECTOR = 512
# Bytes per second, for the time limit only: far less than the slowest machine reads.
SLOWEST = 1 << 20
FIRMWARE = os.path.join(qemu.BUILD, 'pvmfw.bin')
GUEST = os.path.join(qemu.BUILD, 'guest')
KERNEL, INITRD = os.path.join(GUEST, 'Image'), os.path.join(GUEST, 'initrd')
# The root of the Linux guest: a disk that can be mounted.
DISK = os.path.join(GUEST, 'root.img')
# The offset and the value of ext4's magic number.
EXT4_AT, EXT4 = 0x438, b'\x53\xef'
MODES = ('protected', 'static')
# A protected guest must not rely on random numbers from the host.
CMDLINE = 'console=ttyS0 quiet random.trust_bootloader=off random.trust_cpu=off'


class RunError(Exception):
    """A check of the run failed; the message says which."""


def check_disk(path):
    """Return the size of a disk image; raise RunError if it cannot be one."""
    if not os.path.exists(path):
        raise RunError(f'DISK={path}: there is no such file')
    if not os.path.isfile(path):
        raise RunError(f'DISK={path}: not a regular file')
    size = os.path.getsize(path)
    if size == 0:
        raise RunError(f'DISK={path}: the file is empty')
    if size % SECTOR:
        raise RunError(f'DISK={path}: {size} bytes are not a whole number of '
                       f'{SECTOR}-byte sectors')
    return size


def digest(path):
    """Return the SHA-256 of a file in hexadecimal digits."""
    sha = hashlib.sha256()
    try:
        with open(path, 'rb') as file:
            while chunk := file.read(1 << 20):
                sha.update(chunk)
    except OSError as error:
        raise RunError(f'DISK={path}: {error.strerror}') from None
    return sha.hexdigest()


def firmware_stats(text):
    """Return the counters that the firmware printed as "pvmfw: stats key=value ..."."""
    line = re.search(r'^pvmfw: stats (.*)$', text, re.M)
    if not line:
        raise RunError('the firmware printed no statistics')
    return {key: int(value) for key, value in re.findall(r'(\w+)=(\d+)', line.group(1))}


def check_guest(output, size, expected):
    """Check the firmware's output: size and digest of the disk, and that nothing is shared.

    Return the firmware's counters.
    """
    error = re.search(r'^pvmfw: (error|exception|fatal).*$', output, re.M)
    if error:
        raise RunError(f'the firmware failed: {error.group(0)}')
    found = re.search(r'^pvmfw: sha256 ([0-9a-f]{64})$', output, re.M)
    if not found:
        raise RunError('the firmware printed no SHA-256')
    if found.group(1) != expected:
        raise RunError(f'the firmware read other data: it printed the SHA-256 {found.group(1)}, '
                       f'but that of the image is {expected}')
    if f'pvmfw: disk {size} bytes' not in output.split('\n'):
        raise RunError(f'the firmware did not see a disk of {size} bytes')
    if 'pvmfw: nothing shared' not in output.split('\n'):
        raise RunError('the firmware did not print that nothing is shared any more')
    return firmware_stats(output)


def check_returned(gained):
    """What the host's counters gained is right for one protected VM."""
    try:
        if gained['vms_created'] != 1 or gained['vms_destroyed'] != 1:
            raise RunError(f'{gained["vms_created"]} VMs were created and '
                           f'{gained["vms_destroyed"]} destroyed, not one')
        if gained['pages_donated'] == 0:
            raise RunError('no page was donated: the VM was not protected')
        if gained['pages_shared'] == 0:
            raise RunError('the VM shared no page')
        left = gained['pages_shared'] - gained['pages_unshared']
        if left != gained['pages_reclaimed_shared']:
            raise RunError(f'{left} pages were left shared, '
                           f'{gained["pages_reclaimed_shared"]} came back shared')
    except KeyError as missing:
        raise RunError(f'{counters.FILE} has no {missing}') from None
    return gained


def check_host(gained):
    """Do the same for a VM that runs the firmware only, which unshares all pages."""
    check_returned(gained)
    if gained['pages_shared'] != gained['pages_unshared']:
        raise RunError(f'{gained["pages_shared"]} pages were shared, '
                       f'{gained["pages_unshared"]} unshared')
    return gained


def check_vm(job, host, status=0):
    """Raise RunError unless the VMM ended with this status and the host did not fail."""
    if job.status is not None and job.status != status:
        said = [line for line in job.output.split('\n')
                if re.match(r'(vmm: |pvmfw: (error|exception|fatal))', line)]
        raise RunError(f'the VMM ended with status {job.status}: '
                       + (' / '.join(said) or 'it printed no reason'))
    if host.cause:
        raise RunError(host.cause)


@contextlib.contextmanager
def with_console(host, log):
    """Add the end of the host's console output to the message of a RunError."""
    try:
        yield
    except (RunError, counters.Unbalanced) as error:
        tail = '\n'.join('    ' + line for line in host.console.strip().split('\n')[-20:])
        raise RunError(f'{error}\n--- the end of {log}:\n{tail}') from None


def report_vm(vmm, gained, seconds):
    """Print the part of the report that all runs have; gained is None for a non-protected VM."""
    exits = ', '.join(f'{value} {key.removeprefix("exits_")}'
                      for key, value in vmm.items() if key.startswith('exits_') and value)
    print(f'exits      {vmm["exits"]}: {exits}')
    if gained:
        report_pages(gained)
    print(f'time       {seconds:.1f} s')


def report_pages(gained):
    """Print how many pages the host donated, and how they came back."""
    print(f'pages      {gained["pages_donated"]} donated; all came back: '
          f'{gained["pages_reclaimed_private"]} private and zeroed, '
          f'{gained["pages_reclaimed_shared"]} shared')
    print(f'           {gained["metadata_pages_returned"]} given to EL2 for page tables and state; '
          'all came back')


def check_linux(output, path, sha):
    """Check that the firmware entered Linux, and that Linux found the same disk.

    Return Linux's version and what it printed about the disk.
    """
    if 'pvmfw: boot' not in output.split('\n'):
        raise RunError('the firmware did not start the kernel')
    found = re.search(r'^guest: (Linux \S+), disk sha256 ([0-9a-f]*), (.*)$', output, re.M)
    if not found:
        raise RunError('Linux did not print what it found')
    if found.group(2) != sha:
        raise RunError(f'Linux read other data: it printed the SHA-256 {found.group(2)}, but that '
                       f'of the image is {sha}')
    with open(path, 'rb') as file:
        file.seek(EXT4_AT)
        ext4 = file.read(len(EXT4)) == EXT4
    if ext4 != found.group(3).startswith('ext4 mounted'):
        raise RunError(f'the image is {"" if ext4 else "not "}ext4, but Linux printed '
                       f'"{found.group(3)}"')
    return found.group(1), found.group(3)


def check_counts(firmware, gained):
    """Check that EL2 counted at least the shares of the firmware; Linux shares more."""
    peak = firmware['pages_shared_peak']
    if gained['pages_unshared'] < peak or gained['pages_shared'] < peak:
        raise RunError(f'the firmware shared and unshared {peak} pages, but EL2 counted '
                       f'{gained["pages_shared"]} shared and {gained["pages_unshared"]} unshared')
    return gained


def check_np_shared(gained):
    """What the host's counters gained is right for one VM that is not protected."""
    if not gained['np_pages_shared'] or gained['np_pages_shared'] != gained['np_pages_unshared']:
        raise RunError(f'the host shared {gained["np_pages_shared"]} pages with the VM and '
                       f'unshared {gained["np_pages_unshared"]}')
    if gained['pages_shared']:
        raise RunError(f'a non-protected VM shared {gained["pages_shared"]} pages')
    return gained


def report(path, size, sha, guest, gained, linux):
    """Print the report of a run; gained is None for a non-protected VM."""
    print(f'disk       {os.path.relpath(path)}, {size} bytes, sha256 {sha}')
    print(f'firmware   read the whole disk in {guest["requests"]} requests; the digest matches')
    if gained:
        linux_shared = gained['pages_shared'] - guest['pages_shared_peak']
        print(f'shared     the firmware shared {guest["pages_shared_peak"]} pages and unshared '
              'them all;')
        print(f'           Linux then shared {linux_shared}')
        print(f'hypercalls of the firmware: {guest["share_calls"]} MEM_SHARE, '
              f'{guest["unshare_calls"]} MEM_UNSHARE, {guest["granule_queries"]} HYP_MEMINFO;')
        print(f'           {guest["per_alloc_calls"]} if it shared each buffer on its own')
        print(f'MMIO guard the firmware guarded the {guest["guard_calls"]} pages that it used, of '
              f'{guest["guard_eager_calls"]}')
    else:
        print(f'pool       static; the firmware used {guest["pool_pages_peak"]} pages of it and '
              'shared nothing')
    print(f'guest      {linux[0]}, the configured kernel, on the same disk: {linux[1]}')


def options(mode):
    """Return the VMM's options, except for the disk: EL2 loads the firmware of a protected VM."""
    firmware = '--protected --host-firmware' if mode == 'protected' else '--firmware /fw'
    return f'{firmware} --kernel /guest --initrd /initrd --cpus 2'


def same_tables(before, after):
    """Raise RunError unless two dumps of the host's stage-2, before and after a VM, agree."""
    if before.lasting() != after.lasting():
        raise RunError(f'the host\'s stage-2 was {before.lasting()} before the VM, but is '
                       f'{after.lasting()} after it')


def report_tables(before, during, after):
    """Print a summary of the host's stage-2 at three times, and draw a picture of it.

    Raises RunError unless it is the same after the VM as before.
    """
    try:
        rows = [('before', stage2.Dump(before)), ('while it runs', stage2.Dump(during)),
                ('after it died', stage2.Dump(after))]
        stage2.draw(rows, PICTURE)
    except stage2.DumpError as error:
        raise RunError(f'{TABLES}: {error}') from None
    for (name, dump), title in zip(rows, ('stage-2', '', '')):
        print(f'{title:<10} {name}: {dump.summary()}')
    same_tables(rows[0][1], rows[-1][1])
    print(f'picture    {os.path.relpath(PICTURE)}.svg and .png')


def run(path, cpu, mode='protected', page=4, guest_page=4, board=boards.DEFAULT):
    """One run: prints the report or raises RunError.

    page is the size of the host's pages in KiB, and so of what its counters count; guest_page
    that of Linux in the guest.
    """
    qemu.check_interrupts(board)
    kernel = KERNEL if guest_page == 4 else qemu.image(guest_page)
    size = check_disk(path)
    sha = digest(path)
    for needed in (FIRMWARE, kernel, INITRD):
        if not os.path.isfile(needed):
            raise RunError(f'{needed} is missing: run make first, and make guest')
    limit = 100 + 2 * size // SLOWEST
    look = f'during pages_donated {LOOK_AT // page} {TABLES} ' if mode == 'protected' else ''
    jobs = [f'cat {SWEEP} {TABLES}',
            f'limit={limit + 10} {look}/vmm {options(mode)} --disk '
            f'{boards.disk(board)},ro --stats /tmp/stats --timeout {limit}',
            'cat /tmp/stats', f'cat {SWEEP} {TABLES}']
    log = os.path.join(qemu.BUILD, 'log', f'run-{mode}-{boards.host(board, cpu, page)}.log')
    with tempfile.NamedTemporaryFile(dir=qemu.BUILD, prefix='fw.') as configured:
        with open(FIRMWARE, 'rb') as file:
            configured.write(pvmfw_config.append(file.read(), pvmfw_config.entries_of(
                kernel=kernel, initrd=INITRD, cmdline=CMDLINE,
                max_disk=-(-size // (1 << 20)))))
        configured.flush()
        host = qemu.boot(counters.around(jobs), board=board, cpu=cpu, drive=[path + ',ro'],
                         limit=limit + 60, log=log, page=page,
                         files={'/fw': configured.name, '/guest': kernel, '/initrd': INITRD},
                         firmware=configured.name if mode == 'protected' else None)
    _, first, vm, vmm, last, _ = host.jobs
    with with_console(host, log):
        check_vm(vm, host)
        guest = check_guest(vm.output, size, sha)
        linux = check_linux(vm.output, path, sha)
        gained = counters.over(host)
        if mode == 'protected':
            check_counts(guest, check_returned(gained))
        else:
            check_np_shared(gained)
            gained = None
        report(path, size, sha, guest, gained, linux)
        report_vm(counters.parse(vmm.output), gained, host.seconds)
        if mode == 'protected':
            report_tables(first.output, vm.output, last.output)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    boards.add_host_options(parser)
    parser.add_argument('--disk', default=DISK)
    parser.add_argument('--mode', choices=MODES, default='protected')
    args = boards.parse(parser)
    try:
        run(os.path.abspath(args.disk), args.cpu, args.mode, args.page, args.guest_page,
            args.board)
    except (RunError, pvmfw_config.ConfigError, qemu.QemuError) as error:
        print(f'make run: error: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
