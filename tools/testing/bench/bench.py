#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""make bench: costs of VMs in instructions, compared with upstream and stock kernels.

A bare-metal guest times its hypercalls, faults and MMIO under QEMU's instruction counter, where
one nanosecond of virtual time is one instruction: the results are the same in every run and on
every machine. They do not show the cost of TLB maintenance, cache maintenance and barriers, so a
second run counts how many of these EL2 executes.

BENCH_STOCK=0 leaves out the unpatched base kernel, which has to be built for its column.
--against REV also measures the kernel of that revision, and prints the ratios.
"""

import argparse
import contextlib
import fcntl
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.abspath(os.path.join(HERE, '../../..'))
sys.path[:0] = [HERE, os.path.join(TOP, 'scripts/pkvm')]
import against  # noqa: E402
import coalescing  # noqa: E402
import firmware  # noqa: E402
import image  # noqa: E402
import ops  # noqa: E402
import qemu  # noqa: E402
import table  # noqa: E402
import tree  # noqa: E402

BUILD = os.path.join(TOP, 'build')
OBJ = os.path.join(BUILD, 'bench-obj')
STOCK = os.path.join(BUILD, 'stock/Image')
LOG = os.path.join(BUILD, 'log')
STEP = os.path.join(TOP, 'scripts/pkvm/step.py')
COUNTERS = '/sys/kernel/debug/kvm/pkvm_stats'

# Granules of the pool: so many that fixed costs of a VM do not matter per page.
GRANULES = 4096
# The same for the first VM, for which the host allocates what it keeps, and for the second run.
FEW_GRANULES = 512
# Each fault is of one page.
NO_HUGE_PAGES = 'write /sys/kernel/mm/transparent_hugepage/enabled never'
# The second run also has a VM with blocks, for which EL2 stays longest.
HUGE_PAGES = 'write /sys/kernel/mm/transparent_hugepage/enabled always'
# The files behind the windows of the protected VM: the first one has single pages, the second one
# huge pages. Both are as large as guest/window.c says.
WINDOW_MIB = 4
WINDOWS = '/tmp/window', '/tmp/block-window'
SHMEM = 'write /sys/kernel/mm/transparent_hugepage/shmem_enabled'
MAKE_WINDOWS = [
    f'zeroes {WINDOWS[0]} {WINDOW_MIB << 20}', f'{SHMEM} force',
    f'zeroes {WINDOWS[1]} {WINDOW_MIB << 20}', f'{SHMEM} never']
WITH_WINDOWS = ' '.join(f'--window {file},size={WINDOW_MIB}M' for file in WINDOWS)
# Only revisions with this file have windows.
WINDOWS_OF_EL2 = 'arch/arm64/kvm/hyp/nvhe/guest_window.c'
# Waiting for a grace period costs virtual time without instructions: keep it short.
APPEND = 'rcupdate.rcu_expedited=1'
# Seconds for a host, and for the second run, which is slower.
LIMIT = 240
TRACE_LIMIT = 600


@contextlib.contextmanager
def alone():
    """Allow one make bench at a time in a checkout. Its builds take their own lock."""
    with open(os.path.join(BUILD, '.bench-lock'), 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def step(what, log, *command):
    """Run one step of a build; if it fails, step.py prints why and this raises BenchError."""
    if subprocess.run([STEP, what, os.path.join(LOG, log), *command], cwd=TOP,
                      check=False).returncode:
        raise table.BenchError(f'{what.split()[-1]} cannot be built')


def build_guest():
    """Build the guest's images."""
    step('BENCH   build/bench-obj/guest.bin', 'bench-guest.log', 'make', '-C', HERE, f'O={OBJ}')
    with open(os.path.join(OBJ, 'guest.bin'), 'rb') as file:
        program = file.read()
    for name, granules in (('few.bin', FEW_GRANULES), ('full.bin', GRANULES)):
        with open(os.path.join(OBJ, name), 'wb') as file:
            file.write(image.make_image(program, granules))


def build_stock(jobs):
    """Build the base kernel without patches, with the host's configuration; its path."""
    with tree.locked():
        step('STOCK   build/stock/Image', 'stock.log', 'make', f'-j{jobs}', '-f',
             'scripts/pkvm/build.mk', os.path.relpath(STOCK, TOP))
    return STOCK


def build_against(name, jobs):
    """Build the kernel of another commit, beside this one; its path."""
    directory = os.path.join(BUILD, 'against', name)
    against.export(name, directory)
    step(f'AGAINST build/against/{name}', f'against-{name}.log', 'make', '-C', directory,
         f'JOBS={jobs}', 'build/Image')
    return os.path.join(directory, 'build/Image')


def guests():
    """The guest's images as files of the host."""
    return {f'/{name}': os.path.join(OBJ, name) for name in ('few.bin', 'full.bin')}


def boot(jobs, name, kernel=None, append=''):
    """Run jobs on a host with one CPU, as all CPUs' instructions count; its Jobs."""
    log = os.path.join(LOG, f'bench-{name}.log')
    host = qemu.boot(jobs, kernel=kernel, smp=1, icount=True, append=f'{APPEND} {append}',
                     limit=LIMIT, files=guests(), log=log)
    return ops.check_run(host, f'{name} host', log).jobs


def vmm(guest, *options):
    """The job that runs a guest."""
    return ' '.join([f'limit={LIMIT}', '/vmm', *options, '--mem', '64', '--bare', guest,
                     '--stats', '/tmp/stats'])


def measure_ours(name='ours', kernel=None, windows=WITH_WINDOWS):
    """Measure both kinds of VM on a patched kernel: (protected, non_protected, counts)."""
    jobs = boot([*MAKE_WINDOWS, NO_HUGE_PAGES, vmm('/few.bin', '--protected'),
                 f'cat {COUNTERS}', vmm('/full.bin', '--protected', windows),
                 'cat /tmp/stats', f'cat {COUNTERS}', vmm('/full.bin'), 'cat /tmp/stats'],
                name, kernel)
    before, guest, stats, after, non_protected, np_stats = [job.output for job in jobs[-6:]]
    before = table.counters(before)
    after = table.counters(after, 'pages_donated', 'pages_reclaimed_private',
                           'pages_reclaimed_shared', 'pages_relinquished', 'metadata_pages_donated',
                           'calls_info')
    gained = {key: after[key] - before.get(key, 0) for key in after}
    stats = table.counters(stats, 'teardown_ns', 'exits')
    protected = table.guest_results(guest)
    protected['teardown'] = table.teardown(stats, gained)
    calls = sum(gained[key] for key in gained if key.startswith('calls_'))
    counts = [
        f'protected VM: {calls:,} hypercalls, {stats["exits"]:,} exits to the '
        f'VMM, {gained["pages_donated"]:,} pages donated and reclaimed, '
        f'{gained["metadata_pages_donated"]:,} for the hypervisor',
        f'non-protected VM: {table.counters(np_stats, "exits")["exits"]:,} exits to the VMM']
    return protected, table.guest_results(non_protected), counts


def measure_coalescing():
    """Measure a VM on a host that coalesces its stage-2, and on one that does not: two Costs."""
    work = coalescing.jobs([NO_HUGE_PAGES, vmm('/few.bin', '--protected')],
                        vmm('/full.bin', '--protected').split(' ', 1)[1], GRANULES // 2)
    return [coalescing.costs([job.output for job in boot(work, name, append=append)])
            for name, append in (('coalesced', ''), ('split', coalescing.OFF))]


def measure_against(name, jobs):
    """Build and measure the kernel of another commit, without windows if it has none."""
    windows = WITH_WINDOWS if against.has(name, WINDOWS_OF_EL2) else ''
    return measure_ours(f'against-{name}', build_against(name, jobs), windows)


def count_operations():
    """Count EL2's operations for a protected and two non-protected VMs: (means, Stays)."""
    places = ops.el2_places(os.path.join(BUILD, 'host/vmlinux'))
    places.update(ops.guest_places(os.path.join(OBJ, 'guest.elf')))
    stays = ops.el2_stays(os.path.join(BUILD, 'host/vmlinux'))
    jobs = [*MAKE_WINDOWS, NO_HUGE_PAGES, vmm('/few.bin', '--protected', WITH_WINDOWS),
            f'cat {COUNTERS}', vmm('/few.bin'), HUGE_PAGES, vmm('/few.bin')]
    print('  TRACE   instructions of EL2', flush=True)
    done, counter = ops.trace(jobs, guests(), places, stays, APPEND, TRACE_LIMIT)
    done = done[len(MAKE_WINDOWS):]
    reported = [{name: result.samples
                 for name, result in table.guest_results(done[n].output).items()}
                for n in (1, 3, 5)]
    found = ops.assign(counter, reported)
    donated = table.counters(done[2].output, 'pages_donated')['pages_donated']
    found[0]['teardown'] = ops.mean(counter.ends[:1], donated)
    return found, stays


def measure_firmware():
    """Run the firmware in protected VMs on the patched kernel; its counts, as Runs."""
    log = os.path.join(LOG, 'bench-firmware.log')
    host = qemu.boot(firmware.jobs(), smp=1, icount=True, append=APPEND,
                     limit=len(firmware.RUNS) * firmware.LIMIT, files=firmware.build(OBJ), log=log)
    done = ops.check_run(host, 'firmware host', log).jobs
    return [firmware.parse(job.output, *run) for job, run in zip(done, firmware.RUNS)]


def measure_stock(kernel):
    """Measure a non-protected VM on the unpatched kernel, which has no protected ones."""
    return table.guest_results(boot([NO_HUGE_PAGES, vmm('/few.bin'), vmm('/full.bin')],
                                    'stock', kernel)[-1].output)


def bench(jobs, with_stock, revision=None):
    """Measure and print everything; True if no result exceeds its limit."""
    os.makedirs(LOG, exist_ok=True)
    build_guest()
    other = against.commit(revision) if revision else None
    theirs = measure_against(other, jobs) if other else None
    kernel = build_stock(jobs) if with_stock else None
    protected, non_protected, counts = measure_ours()
    coalesced, split = measure_coalescing()
    stock = measure_stock(kernel) if kernel else None
    operations, stays = count_operations()
    samples = protected['mem_share'].samples
    print(f'cortex-a57, nVHE, 4 KiB pages, one vCPU; medians of '
          f'{protected["features"].samples:,} calls and {samples:,} pages; tlbi, dsb, and lines '
          f'by dc and ic at EL2')
    print(table.table(protected, non_protected, operations, stock))
    if theirs:
        print(against.report(other, (protected, non_protected), theirs))
    print('\n'.join(counts + coalescing.report(coalesced, split)))
    print('longest stay at EL2 (limit {:,} instructions): {:,}, in {}'.format(
        table.LONGEST_STAY, *stays.worst()))
    for name, length in sorted(stays.longest.items(), key=lambda item: -item[1])[:6]:
        print(f'    {length:>8,}  {name or "no host call"}')
    runs, size = measure_firmware(), os.path.getsize(firmware.FIRMWARE)
    print('\n'.join(firmware.lines(runs, size)))
    misses = (table.worse(protected, non_protected) + firmware.misses(runs, size) +
              coalescing.worse(coalesced, split))
    if stays.worst()[0] > table.LONGEST_STAY:
        misses.append('a stay at EL2 of {:,} instructions, in {}'.format(*stays.worst()))
    print('\n'.join(misses) if misses else 'no result exceeds its limit')
    return not misses


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--jobs', default=str(os.cpu_count()), help='jobs of a kernel build')
    parser.add_argument('--against', metavar='REV', help='compare with this revision')
    args = parser.parse_args()
    try:
        with alone():
            good = bench(args.jobs, os.environ.get('BENCH_STOCK') != '0', args.against)
    except (table.BenchError, image.ImageError, qemu.QemuError, tree.TreeError) as error:
        print(f'make bench: error: {error}', file=sys.stderr)
        return 1
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
