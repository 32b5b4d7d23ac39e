#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Layer 5 of make test: end-to-end checks with the real VMM, firmware and guests.

They cover make run, wrong options, failing disks, killed VMMs, Linux guests (system_linux.py) and
their balloon (system_balloon.py), the host's stage-2 after VMs (system_stage2.py), firmware that
the boot loader left wrongly (system_firmware.py), and hosts that require isolated DMA
(system_dma.py). Each check is one TAP line, and its docstring states what must hold.
"""

import argparse
import contextlib
import os
import re
import sys
import tempfile
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import counters  # noqa: E402
import cpus  # noqa: E402
import qemu  # noqa: E402
import run  # noqa: E402
import pvmfw_config  # noqa: E402
import system_balloon  # noqa: E402
import system_dma  # noqa: E402
import system_firmware  # noqa: E402
import system_linux  # noqa: E402
import system_stage2  # noqa: E402

BUILD = qemu.BUILD
VMM = '/vmm --firmware /pvmfw.bin --timeout 100'
SMALL = 4 << 20
# How many VMMs the check "killed" kills while it compares MemFree; set by --kills.
SETTINGS = argparse.Namespace(kills=60)
# How many VMMs are killed before that, so that the host's caches do not grow any more.
WARM_UP = 20
# MemFree must fall by less than one page per killed VM; this margin in KiB is subtracted.
SURE = 100
USAGE, RESET = 2, 3


class Failed(Exception):
    """A check failed; the message says why."""


def expect(condition, what, job=None):
    """Raise Failed unless condition holds, with the status and output of a job if given."""
    if not condition:
        raise Failed(what + (f'; status {job.status}, output:\n{job.output.strip()}'
                             if job else ''))


def boot(jobs, name, **more):
    """Boot a host for a check. Raise Failed unless all jobs ran to their end."""
    host = qemu.boot(jobs, log=os.path.join(BUILD, 'log', f'system-{name}.log'), **more)
    expect(host.cause is None, f'{host.cause}\n' + '\n'.join(host.console.split('\n')[-20:]))
    return host


def image(size=SMALL, fill=None):
    """Return a small disk image as an open temporary file."""
    file = tempfile.NamedTemporaryFile(dir=BUILD, prefix='disk.', suffix='.img')
    with open(os.path.join(BUILD, 'disk.img'), 'rb') as source:
        file.write(fill * size if fill else source.read(size))
    file.flush()
    return file


def make_run(cpu):
    """make run passes: the firmware reads the disk and boots Linux, and all pages come back."""
    with contextlib.redirect_stdout(sys.stderr):
        run.run(run.DISK, cpu)


def make_run_static(cpu):
    """make run MODE=static passes: firmware and Linux run in a non-protected VM."""
    with contextlib.redirect_stdout(sys.stderr):
        run.run(run.DISK, cpu, 'static')


def three_counts(cpu):
    """Firmware, EL2 and VMM count the same shares and the same requests."""
    disk = os.path.join(BUILD, 'disk.img')
    size = os.path.getsize(disk)
    host = boot(counters.around([f'{VMM} --protected --disk /dev/vda,ro --stats /tmp/stats',
                                 'cat /tmp/stats']), f'counts-{cpu}', cpu=cpu,
                drive=[disk + ',ro'])
    _, job, vmm, _ = host.jobs
    firmware = run.check_guest(job.output, size, run.digest(disk))
    el2 = run.check_host(counters.over(host))
    vmm = counters.parse(vmm.output)
    for what, first, second in (
            ('shares', firmware['pages_shared_peak'], el2['pages_shared']),
            ('unshares', firmware['pages_shared_peak'], el2['pages_unshared']),
            ('calls to share', firmware['share_calls'], el2['calls_share']),
            ('calls to unshare', firmware['unshare_calls'], el2['calls_unshare']),
            # EL2 also counts ENROLL, and the call by which the firmware unguards its UART at the
            # very end, after it has printed its counters.
            ('guard calls', firmware['guard_calls'] + firmware['unguard_calls'] + 2,
             el2['calls_guard']),
            ('MMIO exits', vmm['exits_mmio_read'] + vmm['exits_mmio_write'], el2['exits_mmio']),
            ('requests', firmware['requests'], vmm['disk_reads']),
            ('bytes', size, vmm['disk_bytes_read'])):
        expect(first == second, f'{what}: {first} and {second}', job)
    expect(firmware['pages_shared_peak'] <= firmware['pool_pages_peak'] and
           firmware['share_calls'] <= firmware['pages_shared_peak'],
           'the firmware shared more pages than it used', job)
    expect(not firmware['ranges'] or firmware['share_calls'] <= firmware['refills'],
           'sharing a region took more than one call', job)
    expect(firmware['granule_queries'] == 1 and firmware['guard_queries'] == 1,
           'the firmware asked for a granule more than once', job)
    expect(0 < firmware['guard_calls'] < firmware['guard_eager_calls'] // 100,
           'the firmware guarded pages that it did not use', job)
    # It prints its counters before it unguards the UART.
    expect(firmware['unguard_calls'] == firmware['guard_calls'] - 1, 'pages stay guarded', job)


def flipped(path, offset):
    """Return a copy of a file with one byte changed, as an open temporary file."""
    file = tempfile.NamedTemporaryFile(dir=BUILD, prefix='flipped.')
    with open(path, 'rb') as source:
        data = bytearray(source.read())
    data[offset] ^= 1
    file.write(data)
    file.flush()
    return file


def configured(**entries):
    """Return the firmware with a configuration appended, as an open temporary file."""
    file = tempfile.NamedTemporaryFile(dir=BUILD, prefix='fw.')
    with open(run.FIRMWARE, 'rb') as source:
        file.write(pvmfw_config.append(source.read(), pvmfw_config.entries_of(**entries)))
    file.flush()
    return file


def verified_boot(cpu):
    """The firmware starts only the kernel and the initrd of its configuration."""
    good = '--kernel /guest --initrd /initrd'
    # The firmware image, the VMM's options, the firmware's error.
    cases = [
        ('/fw', '--kernel /bad --initrd /initrd', 'kernel: digest differs'),
        ('/fw', '--kernel /guest --initrd /badinitrd', 'initrd: digest differs'),
        ('/fw', '--kernel /guest', 'initrd: device tree has no image for this digest'),
        ('/fw', '', 'kernel: device tree has no image for this digest'),
        ('/pvmfw.bin', good, 'kernel: configuration has no digest for this image'),
        ('/alone', good, 'initrd: configuration has no digest for this image'),
        ('/badfw', good, 'configuration has a bad header'),
    ]
    middle = os.path.getsize(run.KERNEL) // 2
    with configured(kernel=run.KERNEL, initrd=run.INITRD) as fw, \
            configured(kernel=run.KERNEL) as alone, flipped(run.KERNEL, middle) as bad, \
            flipped(run.INITRD, -1) as badinitrd, image() as disk, \
            flipped(fw.name, os.path.getsize(fw.name) - 4096) as badfw:
        host = boot([f'/vmm {mode} --firmware {firmware} {payload} --disk /dev/vda,ro '
                     '--timeout 60' for mode in ('--protected', '')
                     for firmware, payload, _ in cases], f'verified-{cpu}', cpu=cpu, limit=200,
                    drive=[disk.name + ',ro'],
                    files={'/fw': fw.name, '/alone': alone.name, '/badfw': badfw.name,
                           '/guest': run.KERNEL, '/initrd': run.INITRD, '/bad': bad.name,
                           '/badinitrd': badinitrd.name})
    for job, (_, _, words) in zip(host.jobs, 2 * cases):
        expect(job.status == RESET and f'pvmfw: error: {words}' in job.output and
               'Booting Linux' not in job.output, f'"{job.line}" did not print "{words}"', job)


def own_disk(cpu):
    """A disk image need not be a whole number of pages."""
    with image(512 * 1237) as disk, contextlib.redirect_stdout(sys.stderr):
        run.run(disk.name, cpu)


def np_vm(cpu):
    """A non-protected VM runs the firmware, on a protected host and on a plain one.

    The firmware uses the memory range that the device tree names, or its heap without one.
    """
    with image() as disk:
        sha = run.digest(disk.name)
        jobs = [f'{VMM} --disk /dev/vda,ro', f'{VMM} --disk /dev/vda,ro --swiotlb 0']
        for mode in ('protected', 'plain'):
            host = boot(jobs, f'np-{cpu}', cpu=cpu, mode=mode, drive=[disk.name + ',ro'])
            for job in host.jobs:
                expect(job.status == 0 and f'pvmfw: sha256 {sha}' in job.output,
                       f'on a {mode} host', job)


def host_not_protected(cpu):
    """On a plain host the VMM refuses a protected VM and prints the reason."""
    job = boot([f'{VMM} --protected'], f'plain-{cpu}', cpu=cpu, mode='plain').jobs[0]
    expect(job.status == 1 and 'kvm-arm.mode=protected' in job.output,
           'the VMM did not refuse it with the reason', job)


def bad_input(cpu):
    """The VMM refuses wrong options with the reason, and the next VM runs normally."""
    wrong = {
        f'{VMM} --protected --disk /nonexistent': (1, r'/nonexistent'),
        f'{VMM} --protected --disk /empty': (1, r'/empty.*empty'),
        f'{VMM} --protected --disk /odd': (1, r'/odd.*512'),
        f'{VMM} --protected --mem 8192': (1, r'--mem 8192: the host'),
        f'{VMM} --protected --mem 1': (USAGE, r'--mem'),
        f'{VMM} --protected --no-such-option': (USAGE, r'no-such-option'),
        '/vmm --protected --firmware /nonexistent': (1, r'/nonexistent'),
        '/vmm --protected --host-firmware': (1, r"the host's boot loader left no firmware"),
        f'memlock 64 {VMM} --protected --disk /dev/vda,ro': (1, r'RLIMIT_MEMLOCK'),
        f'{VMM} --protected': (RESET, r'pvmfw: error: no virtio block device'),
    }
    with image(1000) as odd, image(0) as empty, image() as disk:
        sha = run.digest(disk.name)
        good = f'{VMM} --protected --disk /dev/vda,ro'
        host = boot(counters.around([*wrong, good]), f'bad-input-{cpu}', cpu=cpu, limit=200,
                    files={'/odd': odd.name, '/empty': empty.name}, drive=[disk.name + ',ro'])
        _, *jobs, last, _ = host.jobs
        for job, (status, words) in zip(jobs, wrong.values()):
            expect(job.status == status and re.search(words, job.output),
                   f'"{job.line}": not status {status} with /{words}/', job)
        expect(last.status == 0 and sha in last.output, 'the VM after wrong options failed', last)
        counters.over(host)


def disk_error(cpu):
    """If the disk fails half way, the firmware names the sectors, and all pages come back."""
    with image() as disk, tempfile.TemporaryDirectory(dir=BUILD, prefix='system.') as scratch:
        bad = SMALL // 2 // 512
        host = boot(counters.around([f'{VMM} --protected --disk /dev/vda,ro --stats /tmp/stats',
                                     'cat /tmp/stats']), f'disk-error-{cpu}', cpu=cpu,
                    drive=[qemu.failing_disk(scratch, disk.name, bad)])
    _, job, vmm, _ = host.jobs
    error = re.search(r'^pvmfw: error: .*sectors (\d+) to (\d+)', job.output, re.M)
    expect(job.status == RESET and error, 'the firmware did not name the sectors', job)
    expect(int(error.group(1)) <= bad <= int(error.group(2)),
           f'the firmware named other sectors than {bad}', job)
    expect('sha256' not in job.output, 'the firmware printed a digest of half the disk', job)
    expect(counters.parse(vmm.output).get('disk_errors', 0) > 0, 'the VMM counted no error', vmm)
    gained = counters.over(host)
    expect(gained['pages_shared'] == gained['pages_unshared'],
           f'{gained["pages_shared"]} pages shared, {gained["pages_unshared"]} unshared')


def killed(cpu):
    """After many VMMs were killed at random times, the host has as much memory as before."""
    with image() as disk:
        vm = f'{VMM} --protected --disk /dev/vda,ro'
        warm_up, storm = (f'limit=400 killed {count} {vm}' for count in (WARM_UP, SETTINGS.kills))
        host = boot(counters.around([warm_up, 'memfree', storm, 'memfree', vm]),
                    f'killed-{cpu}', cpu=cpu, limit=900, drive=[disk.name + ',ro'])
        sha = run.digest(disk.name)
    _, _, free, kills, free_after, last, _ = host.jobs
    summary = re.search(rf'^killed (\d+) of {SETTINGS.kills}', kills.output, re.M)
    expect(kills.status == 0 and summary, 'the job that kills VMMs failed', kills)
    expect(0 < int(summary.group(1)) < SETTINGS.kills,
           'either all VMMs were killed before they ended, or none was', kills)
    counters.over(host)
    first, second = (int(re.search(r'memfree (\d+)', job.output).group(1))
                     for job in (free, free_after))
    print(f'# {cpu}: {summary.group(0)}; MemFree {first} KiB before, {second} KiB after')
    expect(second >= first - (SETTINGS.kills * 4 - SURE),
           f'MemFree fell from {first} to {second} KiB')
    expect(last.status == 0 and sha in last.output, 'the VM after the kills failed', last)


CHECKS = (make_run, make_run_static, three_counts, verified_boot, own_disk, np_vm,
          host_not_protected, bad_input, disk_error, killed, *system_linux.CHECKS,
          *system_balloon.CHECKS, *system_stage2.CHECKS, *system_firmware.CHECKS,
          *system_dma.CHECKS)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cpus.add_option(parser)
    parser.add_argument('--kills', type=int, default=SETTINGS.kills,
                        help='how many VMMs the check "killed" kills')
    parser.add_argument('check', nargs='*', help='only these checks')
    args = parser.parse_args()
    if args.kills * 4 <= SURE:
        parser.error(f'--kills: at least {SURE // 4 + 1}, since MemFree varies by chance')
    SETTINGS.kills = args.kills
    known = {check.__name__: check for check in CHECKS}
    for name in args.check:
        if name not in known:
            parser.error(f'there is no check {name}; there are {", ".join(known)}')
    failures = 0
    for cpu in [args.cpu] if args.cpu else cpus.WHOLE:
        for name, check in known.items():
            if args.check and name not in args.check:
                continue
            problem = None
            try:
                check(cpu)
            except (Failed, counters.Unbalanced, run.RunError, qemu.QemuError) as error:
                problem = str(error)
            except Exception:  # an error in the check itself is a failure, too
                problem = traceback.format_exc()
            print(f'{"not " if problem else ""}ok {cpu}.{name}', flush=True)
            if problem:
                failures += 1
                print('\n'.join('#   ' + line for line in problem.split('\n')), flush=True)
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
