#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""make run: a VM starts in our firmware, which reads its disk and boots Linux.

Boots the host with our firmware where a boot loader leaves it, and starts one VM,
in which the hypervisor loads the firmware, with the disk image, and with a kernel
and an initrd that the firmware's configuration knows by their digests.
What the firmware says is held against what is known here: the SHA-256 of the
image, that nothing stayed shared, that it was this kernel. Linux must find the
same disk, and mount it if it is ext4. Every page must come back. Ends with a
short report and status 0, or with the cause and another status.

With --mode static the VM is not protected: the VMM loads the same firmware, which
bounces through the range that the device tree names.
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
# When a VM that runs is stopped for a look: it has so many KiB of the host's.
LOOK_AT = 20000
PICTURE = os.path.join(qemu.BUILD, 'stage2')
SECTOR = 512
# Far below what the slowest machine reads, bytes a second.
SLOWEST = 1 << 20
FIRMWARE = os.path.join(qemu.BUILD, 'pvmfw.bin')
GUEST = os.path.join(qemu.BUILD, 'guest')
KERNEL, INITRD = os.path.join(GUEST, 'Image'), os.path.join(GUEST, 'initrd')
# The root of the Linux guest: a disk that can be mounted.
DISK = os.path.join(GUEST, 'root.img')
# The magic of ext4 and where it is.
EXT4_AT, EXT4 = 0x438, b'\x53\xef'
MODES = ('protected', 'static')
# The host's random numbers are none that a protected guest may count on.
CMDLINE = 'console=ttyS0 quiet random.trust_bootloader=off random.trust_cpu=off'


class RunError(Exception):
    """Why the run did not show what it must."""


def check_disk(path):
    """The size of a usable image; refuse one that no block device can be."""
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
    """SHA-256 of a file, as sha256sum tells it."""
    sha = hashlib.sha256()
    try:
        with open(path, 'rb') as file:
            while chunk := file.read(1 << 20):
                sha.update(chunk)
    except OSError as error:
        raise RunError(f'DISK={path}: {error.strerror}') from None
    return sha.hexdigest()


def firmware_stats(text):
    """What the firmware counted: "pvmfw: stats key=value ..."."""
    line = re.search(r'^pvmfw: stats (.*)$', text, re.M)
    if not line:
        raise RunError('the firmware printed no statistics')
    return {key: int(value) for key, value in re.findall(r'(\w+)=(\d+)', line.group(1))}


def check_guest(output, size, expected):
    """Everything that the firmware must have said on its UART."""
    error = re.search(r'^pvmfw: (error|exception|fatal).*$', output, re.M)
    if error:
        raise RunError(f'the firmware gave up: {error.group(0)}')
    found = re.search(r'^pvmfw: sha256 ([0-9a-f]{64})$', output, re.M)
    if not found:
        raise RunError('the firmware printed no SHA-256')
    if found.group(1) != expected:
        raise RunError(f'the firmware read something else: its SHA-256 is {found.group(1)}, '
                       f'the image has {expected}')
    if f'pvmfw: disk {size} bytes' not in output.split('\n'):
        raise RunError(f'the firmware did not see a disk of {size} bytes')
    if 'pvmfw: nothing shared' not in output.split('\n'):
        raise RunError('the firmware did not say that nothing is shared any more')
    return firmware_stats(output)


def check_returned(gained):
    """What the host's counters gained is right for one protected VM."""
    try:
        if gained['vms_created'] != 1 or gained['vms_destroyed'] != 1:
            raise RunError(f'{gained["vms_created"]} VMs were created and '
                           f'{gained["vms_destroyed"]} destroyed, not one')
        if gained['pages_donated'] == 0:
            raise RunError('no page was donated: this was no protected VM')
        if gained['pages_shared'] == 0:
            raise RunError('the host saw no page being shared')
        left = gained['pages_shared'] - gained['pages_unshared']
        if left != gained['pages_reclaimed_shared']:
            raise RunError(f'{left} pages were left shared, '
                           f'{gained["pages_reclaimed_shared"]} came back shared')
    except KeyError as missing:
        raise RunError(f'{counters.FILE} has no {missing}') from None
    return gained


def check_host(gained):
    """As check_returned(), for the firmware, which leaves nothing shared."""
    check_returned(gained)
    if gained['pages_shared'] != gained['pages_unshared']:
        raise RunError(f'{gained["pages_shared"]} pages were shared, '
                       f'{gained["pages_unshared"]} unshared')
    return gained


def check_vm(job, host, status=0):
    """The VMM has ended as it must, and so has the host."""
    if job.status is not None and job.status != status:
        said = [line for line in job.output.split('\n')
                if re.match(r'(vmm: |pvmfw: (error|exception|fatal))', line)]
        raise RunError(f'the VMM ended with status {job.status}: '
                       + (' / '.join(said) or 'it gave no reason'))
    if host.cause:
        raise RunError(host.cause)


@contextlib.contextmanager
def with_console(host, log):
    """What is found wrong with a run is told with the end of its console."""
    try:
        yield
    except (RunError, counters.Unbalanced) as error:
        tail = '\n'.join('    ' + line for line in host.console.strip().split('\n')[-20:])
        raise RunError(f'{error}\n--- the end of {log}:\n{tail}') from None


def report_vm(vmm, gained, seconds):
    """What any run has shown; gained is None for a VM that is not protected."""
    exits = ', '.join(f'{value} {key.removeprefix("exits_")}'
                      for key, value in vmm.items() if key.startswith('exits_') and value)
    print(f'exits      {vmm["exits"]}: {exits}')
    if gained:
        print(f'reclaimed  {gained["pages_reclaimed_private"]} private pages zeroed, '
              f'{gained["pages_reclaimed_shared"]} shared, of {gained["pages_donated"]} donated; '
              f'{gained["metadata_pages_returned"]} of the hypervisor\'s')
    print(f'time       {seconds:.1f} s')


def check_linux(output, path, sha):
    """The firmware entered Linux, and Linux found the disk; what it said."""
    if 'pvmfw: boot' not in output.split('\n'):
        raise RunError('the firmware did not start the kernel')
    found = re.search(r'^guest: (Linux \S+), disk sha256 ([0-9a-f]*), (.*)$', output, re.M)
    if not found:
        raise RunError('Linux did not say what it found')
    if found.group(2) != sha:
        raise RunError(f'Linux read something else: the SHA-256 of its disk is '
                       f'{found.group(2)}, the image has {sha}')
    with open(path, 'rb') as file:
        file.seek(EXT4_AT)
        ext4 = file.read(len(EXT4)) == EXT4
    if ext4 != found.group(3).startswith('ext4 mounted'):
        raise RunError(f'the image is {"" if ext4 else "not "}ext4, but Linux says '
                       f'"{found.group(3)}"')
    return found.group(1), found.group(3)


def check_counts(firmware, gained):
    """What EL2 counted holds what the firmware counted; Linux shares more."""
    peak = firmware['pages_shared_peak']
    if gained['pages_unshared'] < peak or gained['pages_shared'] < peak:
        raise RunError(f'the firmware shared {peak} pages, the hypervisor says it took '
                       f'{gained["pages_shared"]} and gave back {gained["pages_unshared"]}')
    return gained


def check_np_shared(gained):
    """What the host's counters gained is right for one VM that is not protected."""
    if not gained['np_pages_shared'] or gained['np_pages_shared'] != gained['np_pages_unshared']:
        raise RunError(f'{gained["np_pages_shared"]} pages were shared, '
                       f'{gained["np_pages_unshared"]} unshared')
    if gained['pages_shared']:
        raise RunError(f'{gained["pages_shared"]} pages were shared by a VM that cannot')
    return gained


def report(path, size, sha, guest, gained, linux):
    """What the run has shown, for people; gained is None for a VM that is not protected."""
    print(f'disk       {os.path.relpath(path)}, {size} bytes, sha256 {sha}')
    print(f'firmware   read all of it in {guest["requests"]} requests; the digest matches')
    if gained:
        print(f'shared     {guest["pages_shared_peak"]} pages at once at most; all unshared '
              f'before Linux, which shared {gained["pages_shared"] - guest["pages_shared_peak"]}')
        print(f'hypercalls {guest["share_calls"]} MEM_SHARE, {guest["unshare_calls"]} MEM_UNSHARE, '
              f'{guest["granule_queries"]} HYP_MEMINFO; page by page: '
              f'{guest["per_alloc_calls"]} calls')
        print(f'MMIO guard {guest["guard_calls"]} pages guarded of {guest["guard_eager_calls"]}')
    else:
        print(f'pool       static, {guest["pool_pages_peak"]} pages of it in use at most; nothing '
              'was shared')
    print(f'guest      {linux[0]}, as configured; disk the same, {linux[1]}')


def options(mode):
    """What the VMM is told, but for the disk: a protected VM gets what EL2 loads."""
    firmware = '--protected --host-firmware' if mode == 'protected' else '--firmware /fw'
    return f'{firmware} --kernel /guest --initrd /initrd --cpus 2'


def report_tables(before, during, after):
    """The host's stage-2 at three moments, for people, and as a picture."""
    try:
        rows = [('before', stage2.Dump(before)), ('while it runs', stage2.Dump(during)),
                ('after it died', stage2.Dump(after))]
        stage2.draw(rows, PICTURE)
    except stage2.DumpError as error:
        raise RunError(f'{TABLES}: {error}') from None
    for (name, dump), title in zip(rows, ('stage-2', '', '')):
        print(f'{title:<10} {name}: {dump.summary()}')
    first, last = rows[0][1], rows[-1][1]
    if first.lasting() != last.lasting():
        raise RunError(f'the host\'s stage-2 is not what it was: {first.lasting()} before, '
                       f'{last.lasting()} after')
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
