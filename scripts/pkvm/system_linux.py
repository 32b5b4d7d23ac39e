# SPDX-License-Identifier: GPL-2.0-only
"""Checks of run_system.py: Linux runs as a guest, and its memory comes back when it ends."""

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
# The time in seconds after which a guest without a DMA pool has tried to use its disk.
POOLLESS = 30
CPUS = 2
KILLS = 8
# How many pages a MEM_SHARE call of a range has to share on average.
FEW_CALLS = 16
# A file of 1 MiB that the guest writes.
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
    """Run a tool on an ext4 image and return its output; raise RunError if it fails."""
    try:
        return guest_root.run(*command).stdout
    except guest_root.RootError as error:
        raise run.RunError(f"the guest's file system is damaged: {error}") from None


def expect(got, wanted, what):
    """Raise RunError unless got equals wanted."""
    if got != wanted:
        raise run.RunError(f'{what}: found "{got}", expected "{wanted}"')


def balanced(host):
    """The host came to its end, and every page came back."""
    if host.cause:
        raise run.RunError(host.cause)
    return counters.over(host)


def linux(cpu):
    """Linux runs as a protected VM with its root on the disk, up to a shell, and powers off.

    While it runs, it uses a window that the host plugs in and pulls out.
    """
    guest = run_linux.Guest(cpu, windows=1)
    with contextlib.redirect_stdout(sys.stderr):
        gained = run_linux.run_guest(run_linux.ROOT, guest, 'system-linux')
    # The driver shares by ranges.
    expect(gained['calls_share'] < gained['pages_shared'] // FEW_CALLS, True,
           f'at least {FEW_CALLS} pages per MEM_SHARE call')


def linux_unmodified(cpu):
    """The base's own kernel runs as a protected VM, too: it shares each page by a call."""
    guest = run_linux.Guest(cpu, kernel=run_linux.STOCK_KERNEL)
    with contextlib.redirect_stdout(sys.stderr):
        gained = run_linux.run_guest(run_linux.ROOT, guest, 'system-linux-stock')
    expect(gained['calls_share'], gained['pages_shared'], 'MEM_SHARE calls')
    expect(gained['calls_guard'] > 0, True, 'the guest guards MMIO')


def linux_np(cpu):
    """Linux runs as a non-protected VM, on a protected host and on a plain one."""
    for mode in ('protected', 'plain'):
        guest = run_linux.Guest(cpu, CPUS, protected=False, mode=mode)
        with contextlib.redirect_stdout(sys.stderr):
            run_linux.run_guest(run_linux.ROOT, guest, f'system-linux-{mode}')


def linux_writes(cpu):
    """A guest can set a CPU offline and online, and its data are intact after a reboot.

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
                expect(file.read() == data[:1 << 20], True, 'the written file is on the disk')
    said, later = run_linux.answers(first), run_linux.answers(second)
    expect('sve' in said[CPUINFO].split(), cpu in WITH_SVE, 'SVE in /proc/cpuinfo')
    expect(said[SVE], 'sve: right' if cpu in WITH_SVE else 'sve: none', 'programs that use SVE')
    expect(said[RNG], 'smccc_trng' if cpu in WITH_ENTROPY else 'none', 'the source of entropy')
    if cpu in WITH_ENTROPY:
        expect(said[ENTROPY], ENTROPY_BYTES, 'bytes of entropy')
    expect(said[HOTPLUG].split(), ['0', '0-1'] * 5, 'CPUs on line')
    expect(said['nproc'], str(CPUS), 'CPUs on line at the end')
    expect(said['sha256sum /srv/data'].split()[0], hashlib.sha256(data).hexdigest(),
           'digest of the data that the guest read')
    sha = hashlib.sha256(data[:1 << 20]).hexdigest()
    expect(said[READ].split()[0], sha, 'digest of the file that the guest wrote')
    expect(later[READ].split()[0], sha, 'digest of that file after the reboot')
    expect(balanced(host)['vms_created'], 2, 'number of VMs')


def linux_without_pool(cpu):
    """Without a DMA pool the disk's rings are private: only the VMM's disk fails."""
    run_linux.check_built()
    guest = run_linux.Guest(cpu, CPUS, limit=POOLLESS, options='--swiotlb 0')
    host = run_linux.boot([guest.job(',ro')], guest,
                          'system-linux-without-pool', drive=[run_linux.ROOT + ',ro'])
    run.check_vm(host.jobs[1], host, TIMED_OUT)
    if 'a ring lies in memory that the guest does not share' not in host.jobs[1].output:
        raise run.RunError("the VMM did not report that the disk's rings are private")
    balanced(host)


def linux_killed(cpu):
    """When a VMM is killed while Linux boots or runs, all pages come back."""
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
        raise run.RunError(f'{host.cause or "the job that kills VMMs failed"}: '
                           f'{kills.output.strip()}')
    print(f'# {cpu}: {summary.group(0)}')
    # The number depends on how busy the machine is.
    expect(int(summary.group(1)) > KILLS // 4, True, f'more than {KILLS // 4} VMMs were killed')
    expect(balanced(host)['vms_created'] > KILLS // 2, True,
           f'more than {KILLS // 2} VMMs created their VM')


CHECKS = (linux, linux_unmodified, linux_np, linux_writes, linux_without_pool, linux_killed)
