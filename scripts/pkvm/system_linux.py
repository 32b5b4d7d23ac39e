# SPDX-License-Identifier: GPL-2.0-only
"""Checks of run_system.py: Linux runs protected, unmodified, and dies well."""

import contextlib
import hashlib
import re
import shutil
import sys
import tempfile

import console
import counters
import guest_root
import qemu
import run
import run_linux

RESET, TIMED_OUT = 3, 4
# Seconds in which a guest without a disk comes to look for one.
POOLLESS = 30
CPUS = 2
KILLS = 8
# The least number of pages that a call on a range shares, on the average.
FEW_CALLS = 16
# 1 MiB that no pool page holds by chance.
WRITTEN = '/root/written'
WRITE = f'head -c 1048576 /srv/data >{WRITTEN} && sync'
READ = f'echo 3 >/proc/sys/vm/drop_caches; sha256sum {WRITTEN}'
SVE = '/bin/sve'
CPUINFO = 'grep -m 1 Features /proc/cpuinfo'
WITH_SVE = ('max', 'max-nvhe', 'n2', 'v1')
RNG = 'cat /sys/class/misc/hw_random/rng_current'
ENTROPY_BYTES = '64'
ENTROPY = f'head -c {ENTROPY_BYTES} /dev/hwrng | wc -c'
# A CPU with RNDRRS, from which EL2 takes it; QEMU's machine has no firmware that would give any.
WITH_ENTROPY = ('max', 'max-nvhe')
CPU1 = '/sys/devices/system/cpu/cpu1/online'
ONLINE = 'cat /sys/devices/system/cpu/online'
HOTPLUG = f'for i in 1 2 3 4 5; do echo 0 >{CPU1} && {ONLINE} && echo 1 >{CPU1} && {ONLINE}; done'


def tool(*command):
    """Run one of the tools for ext4 images; its output."""
    try:
        return guest_root.run(*command).stdout
    except guest_root.RootError as error:
        raise run.RunError(f'what the guest left on its disk is wrong: {error}') from None


def expect(got, wanted, what):
    """Refuse anything but what is wanted."""
    if got != wanted:
        raise run.RunError(f'{what}: "{got}" instead of "{wanted}"')


def balanced(host):
    """The host came to its end, and every page came back."""
    if host.cause:
        raise run.RunError(host.cause)
    return counters.over(host)


def linux(cpu):
    """Linux runs protected with its root on the disk, to a shell, and powers off."""
    with contextlib.redirect_stdout(sys.stderr):
        gained = run_linux.run_guest(run_linux.ROOT, run_linux.Guest(cpu), 'system-linux')
    # The driver uses ranges: a call shares more than a page on the average.
    expect(gained['calls_share'] < gained['pages_shared'] // FEW_CALLS, True,
           'fewer calls than pages')


def linux_unmodified(cpu):
    """So does the kernel of the base: its driver shares page by page, guards, and no more."""
    guest = run_linux.Guest(cpu, kernel=run_linux.STOCK_KERNEL)
    with contextlib.redirect_stdout(sys.stderr):
        gained = run_linux.run_guest(run_linux.ROOT, guest, 'system-linux-stock')
    expect(gained['calls_share'], gained['pages_shared'], 'a call a page')
    expect(gained['calls_guard'] > 0, True, 'it puts guards')


def linux_np(cpu):
    """The same kernel and root in a non-protected VM, on a protected host and on another."""
    for mode in ('protected', 'plain'):
        guest = run_linux.Guest(cpu, CPUS, protected=False, mode=mode)
        with contextlib.redirect_stdout(sys.stderr):
            run_linux.run_guest(run_linux.ROOT, guest, f'system-linux-{mode}')


def linux_writes(cpu):
    """CPUs go and come back; what is written outlives a reboot; the disk is sane.

    Programs that use SVE are preempted and keep their registers, and the TRNG calls give the
    guest's driver entropy. CPU_OFF and CPU_ON of a running guest, data in both directions
    through the DMA pool, and SYSTEM_RESET, which is status 3. The digests are computed here.
    """
    run_linux.check_built()
    guest = run_linux.Guest(cpu, CPUS)
    data = guest_root.data()
    first = console.Shell([CPUINFO, SVE, RNG, ENTROPY, HOTPLUG, 'nproc', 'sha256sum /srv/data',
                           'mount -o remount,rw /', WRITE, READ], 'reboot')
    second = console.Shell([READ], after='@@ start 3 ')
    with tempfile.NamedTemporaryFile(dir=qemu.BUILD, prefix='disk.') as disk:
        shutil.copyfile(run_linux.ROOT, disk.name)
        host = run_linux.boot([guest.job(), guest.job()], guest, 'system-linux-writes',
                              drive=[disk.name],
                              dialog=lambda machine: (first(machine), second(machine)),
                              limit=2 * guest.limit)
        run.check_vm(host.jobs[1], host, RESET)
        run.check_vm(host.jobs[2], host)
        tool('e2fsck', '-f', '-n', disk.name)
        with tempfile.NamedTemporaryFile(dir=qemu.BUILD, prefix='written.') as written:
            tool('debugfs', '-R', f'dump {WRITTEN} {written.name}', disk.name)
            with open(written.name, 'rb') as file:
                expect(file.read() == data[:1 << 20], True, 'the file is on the disk')
    said, later = run_linux.answers(first), run_linux.answers(second)
    expect('sve' in said[CPUINFO].split(), cpu in WITH_SVE, 'SVE in /proc/cpuinfo')
    expect(said[SVE], 'sve: right' if cpu in WITH_SVE else 'sve: none', 'programs that use SVE')
    expect(said[RNG], 'smccc_trng' if cpu in WITH_ENTROPY else 'none', 'the source of entropy')
    if cpu in WITH_ENTROPY:
        expect(said[ENTROPY], ENTROPY_BYTES, 'bytes of entropy')
    expect(said[HOTPLUG].split(), ['0', '0-1'] * 5, 'CPUs on line')
    expect(said['nproc'], str(CPUS), 'CPUs on line at the end')
    expect(said['sha256sum /srv/data'].split()[0], hashlib.sha256(data).hexdigest(),
           'what the guest read')
    sha = hashlib.sha256(data[:1 << 20]).hexdigest()
    expect(said[READ].split()[0], sha, 'what the guest wrote, read again')
    expect(later[READ].split()[0], sha, 'what the guest wrote, after the reboot')
    expect(balanced(host)['vms_created'], 2, 'VMs')


def linux_without_pool(cpu):
    """A disk reaches nothing that Linux does not share, and harms nobody by trying."""
    run_linux.check_built()
    guest = run_linux.Guest(cpu, CPUS, limit=POOLLESS, options='--swiotlb 0')
    host = run_linux.boot([guest.job(',ro')], guest,
                          'system-linux-without-pool', drive=[run_linux.ROOT + ',ro'])
    run.check_vm(host.jobs[1], host, TIMED_OUT)
    if 'a ring lies in memory that the guest does not share' not in host.jobs[1].output:
        raise run.RunError('the disk did not fail')
    balanced(host)


def linux_killed(cpu):
    """A VMM that is killed while Linux boots or runs leaves nothing behind."""
    run_linux.check_built()
    guest = run_linux.Guest(cpu, CPUS)
    vm = (f'/vmm --protected --kernel /guest --cpus {CPUS} --disk /dev/vda,ro --timeout '
          f'{guest.limit} --cmdline "{run_linux.CMDLINE} init=/sbin/poweroff -- -f"')
    host = run_linux.boot([f'limit={6 * guest.limit} killed {KILLS} {vm}'], guest,
                          'system-linux-killed', drive=[run_linux.ROOT + ',ro'],
                          limit=7 * guest.limit)
    kills = host.jobs[1]
    summary = re.search(rf'^killed (\d+) of {KILLS}', kills.output, re.M)
    if host.cause or kills.status or not summary:
        raise run.RunError(f'{host.cause or "the storm failed"}: {kills.output.strip()}')
    print(f'# {cpu}: {summary.group(0)}')
    # How many depends on how busy the machine was meanwhile.
    expect(int(summary.group(1)) > KILLS // 4, True, 'some were killed')
    expect(balanced(host)['vms_created'] > KILLS // 2, True, 'most had made their VM')


CHECKS = (linux, linux_unmodified, linux_np, linux_writes, linux_without_pool, linux_killed)
