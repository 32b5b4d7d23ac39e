#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Layer 4 of make test: run our KVM selftests, with real protected VMs, on two CPUs.

tools/testing/selftests/kvm/arm64/tests.list names the programs, one per line:

    PROGRAM [MODE...]

PROGRAM is a path below selftests/kvm (arm64/pkvm_mem_share). MODE says where the program runs:

    protected   on a protected host; the default
    plain       on a host that was not booted with kvm-arm.mode=protected
    firmware    on a protected host with a guest firmware, whose file is the program's argument
    smmu        on a protected host whose PCI devices are behind an SMMU
    debug       on a protected host with all debugging checks, by --debug
    smoke       by run_cpus.py, on the other CPUs
    stress      by run_stress.py
    starts      by run_starts.py
    fuzz        by run_fuzz_guest.py
    stage2      by run_system.py

Empty lines and everything after # are ignored.

The results of a program are the TAP lines that it prints. A program that prints none counts as one
result, by its exit status (4 is a skip). It is a failure if a program does not build, does not
end, or prints fewer results than it planned.
"""

import argparse
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import boards  # noqa: E402
import cpus  # noqa: E402
import devtree  # noqa: E402
import qemu  # noqa: E402
import tap  # noqa: E402
import tree  # noqa: E402

TOP = qemu.TOP
BUILD = qemu.BUILD
LINUX = os.path.join(BUILD, 'linux')
OUTPUT = os.path.join(BUILD, 'selftests')
LIST = 'tools/testing/selftests/kvm/arm64/tests.list'
# The kernels of the hosts that programs run on, built by build.mk.
TEST_IMAGE = os.path.join(BUILD, 'test-host/Image')
DEBUG_IMAGE = os.path.join(BUILD, 'debug-host/Image')
MODES = ('protected', 'plain', 'firmware', 'smmu', 'debug', 'stress', 'starts', 'fuzz',
         'stage2', 'smoke')
# The program whose argument is a number of VMs, and the one whose argument is one of rounds.
LIFECYCLE = 'arm64/pkvm_lifecycle'
EMULATOR = 'arm64/pkvm_emulator'
# The program that has a disk with an empty ext4 file system, of as many MiB.
DISK_USER = 'arm64/pkvm_window_memory'
DISK_SIZE = 16
SKIPPED = 4
LIMIT = 240
# Rounds of EMULATOR per second, fewer than on any machine tested.
PACE = 2
# CPUs of the host. With four, tests race on more CPUs than there may be processors here, which
# takes time; for a look at another CPU's features two are enough.
CPUS, CPUS_SMOKE = 4, 2
FIRMWARE_MARK = 0xf1a3_0000_0000_0000


class SelftestError(Exception):
    """The selftests cannot be run; the message says why."""


def programs():
    """Return the pairs (program, mode) in the order of the list."""
    try:
        with open(os.path.join(TOP, LIST)) as file:
            lines = [line.partition('#')[0].split() for line in file]
    except OSError as error:
        raise SelftestError(f'{LIST}: {error.strerror}') from None
    wanted = []
    for program, *modes in filter(None, lines):
        for mode in modes or ['protected']:
            if mode not in MODES:
                raise SelftestError(f'{LIST}: {program}: there is no mode {mode}')
            wanted.append((program, mode))
    if not wanted:
        raise SelftestError(f'{LIST} names no program')
    return wanted


def make(log, *arguments, what='the selftests do'):
    """Run make with its output appended to a log; raise SelftestError if it fails."""
    with open(log, 'a') as output:
        done = subprocess.run(['make', 'ARCH=arm64', 'CROSS_COMPILE=aarch64-linux-gnu-',
                               *arguments], cwd=TOP, stdin=subprocess.DEVNULL, stdout=output,
                              stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        with open(log) as output:
            tail = output.read().splitlines()[-20:]
        raise SelftestError(f'{what} not build:\n' + '\n'.join(tail))


def build(names, jobs, image=TEST_IMAGE):
    """Build the programs, as static ones and outside the source tree, and the host kernel."""
    if tree.tests_built():
        return
    log = os.path.join(BUILD, 'log/selftests-build.log')
    open(log, 'w').close()
    make(log, f'-j{jobs}', '-f', 'scripts/pkvm/build.mk', os.path.relpath(image, TOP),
         what='the host of the tests does')
    headers = os.path.join(BUILD, 'headers')
    # The base's makefile writes generated headers to tools/, but does not create it.
    os.makedirs(os.path.join(OUTPUT, 'tools'), exist_ok=True)
    make(log, '-C', LINUX, f'O={BUILD}/host', f'INSTALL_HDR_PATH={headers}', 'headers_install')
    make(log, '-C', os.path.join(LINUX, 'tools/testing/selftests/kvm'), f'-j{jobs}',
         f'OUTPUT={OUTPUT}', f'abs_objdir={OUTPUT}', 'EXTRA_CFLAGS=-static',
         f'KHDR_INCLUDES=-isystem {headers}/include',
         *(os.path.join(OUTPUT, name) for name in names))


def make_firmware(cpu):
    """Make the guest firmware for the tests on a CPU. Return its path.

    It contains the code of the tests' guests, followed by pages with known data.
    """
    path = os.path.join(OUTPUT, f'firmware-{cpu}.bin')
    code = os.path.join(OUTPUT, 'arm64/pvm_guest.o')
    try:
        subprocess.run(['aarch64-linux-gnu-objcopy', '-O', 'binary', '-j', '.rodata', code, path],
                       check=True)
        with open(path, 'rb') as file:
            data = file.read()
        data += b'\0' * (-len(data) % devtree.PAGE)
        data += b''.join(number.to_bytes(8, 'little') for number in
                         range(FIRMWARE_MARK, FIRMWARE_MARK + 3 * devtree.PAGE // 8))
        with open(path, 'wb') as file:
            file.write(data)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SelftestError(f'{path}: {error}') from None
    return path


def make_disk(cpu):
    """Make the disk for the tests on a CPU. Return its path."""
    path = os.path.join(OUTPUT, f'disk-{cpu}.img')
    try:
        if os.path.exists(path):
            os.remove(path)
        subprocess.run(['mke2fs', '-q', '-F', '-t', 'ext4', path, f'{DISK_SIZE}M'], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SelftestError(f'{path}: {error}') from None
    return path


def tell(label, job):
    """Print the TAP lines of one program. Return whether it passed."""
    results, broken = tap.read(job.output)
    good = True
    for result in results:
        print(f'{"not " if result.failed else ""}ok {label}: {result.name}'
              + (f' # {result.why}' if result.why else ''))
        good = good and not result.failed
    if job.status is None:
        problem = 'it did not end'
    elif broken:
        problem = '; '.join(broken)
    elif job.status == SKIPPED and not results:
        print(f'ok {label} # SKIP')
        problem = None
    elif job.status not in (0, SKIPPED) and good:
        problem = f'it ended with status {job.status}'
    else:
        problem = None
        if not results:
            print(f'ok {label}')
    if problem:
        print(f'not ok {label} # {problem}')
        good = False
    if not good:
        for line in job.output.strip().split('\n')[-30:]:
            print(f'#   {line}')
    return good


def add_vms_option(parser):
    """Add the option --vms to a parser."""
    parser.add_argument('--vms', type=int, metavar='N',
                        help=f'how many VMs the longest tests of {LIFECYCLE} create')


def job_of(name, argument, limit):
    """Return the job of a program: its line with the time limit."""
    return f'limit={limit} /selftests/{name}' + (f' {argument}' if argument else '')


def run(cpu, mode, names, vms=None, rounds=None):
    """Boot a host for this mode and run its programs. Return whether all passed.

    vms is how many VMs the longest tests of LIFECYCLE create, rounds how many rounds EMULATOR
    makes with each kind of VM, or None for their defaults.
    """
    log = os.path.join(BUILD, 'log', f'selftests-{cpu}-{mode}.log')
    files = {f'/selftests/{name}': os.path.join(OUTPUT, name) for name in names}
    firmware, argument = None, None
    if mode == 'firmware':
        firmware, argument = make_firmware(cpu), '/firmware'
        files['/firmware'] = firmware
    arguments = {LIFECYCLE: vms, EMULATOR: rounds}
    limits = {EMULATOR: LIMIT + 2 * (rounds or 0) // PACE}
    jobs = [job_of(name, argument or arguments.get(name), limits.get(name, LIMIT))
            for name in names]
    host = qemu.boot(jobs, cpu=cpu, mode='plain' if mode == 'plain' else 'protected',
                     smp=CPUS_SMOKE if mode == 'smoke' else CPUS,
                     log=log,
                     kernel=DEBUG_IMAGE if mode == 'debug' else TEST_IMAGE,
                     limit=LIMIT + sum(limits.get(name, LIMIT) for name in names),
                     files=files, firmware=firmware,
                     drive=[make_disk(cpu)] if DISK_USER in names else (),
                     board='virt-smmu' if mode == 'smmu' else boards.DEFAULT,
                     append=boards.SMMU_WORDS if mode == 'smmu' else '')
    good = True
    for name, job in zip(names, host.jobs):
        good = tell(f'{cpu}.{mode}.{os.path.basename(name)}', job) and good
    if host.cause:
        print(f'not ok {cpu}.{mode} # {host.cause}')
        for line in host.console.strip().split('\n')[-15:]:
            print(f'#   {line}')
        good = False
    sys.stdout.flush()
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cpus.add_option(parser)
    parser.add_argument('--debug', action='store_true', help='run the programs with mode debug')
    parser.add_argument('--build', action='store_true', help='build all programs, but run none')
    parser.add_argument('--jobs', default=str(os.cpu_count()))
    add_vms_option(parser)
    parser.add_argument('--rounds', type=int, metavar='N',
                        help=f'how many rounds {EMULATOR} makes with each kind of VM')
    parser.add_argument('program', nargs='*', help='run only these programs of the list')
    args = parser.parse_args()
    try:
        if args.build:
            with tree.locked():
                build(sorted({name for name, _ in programs()}), args.jobs)
            return 0
        modes = ['debug'] if args.debug else ['protected', 'plain', 'firmware', 'smmu']
        wanted = [(name, mode) for name, mode in programs() if mode in modes and
                  (not args.program or name in args.program)]
        if not wanted:
            raise SelftestError(f'{LIST} does not name {" ".join(args.program)}')
        with tree.locked():
            build(sorted({name for name, _ in wanted}), args.jobs,
                  DEBUG_IMAGE if args.debug else TEST_IMAGE)
        good = True
        for cpu in [args.cpu] if args.cpu else cpus.WHOLE:
            for mode in modes:
                names = [name for name, where in wanted if where == mode]
                if names:
                    good = run(cpu, mode, names, args.vms, args.rounds) and good
    except (SelftestError, qemu.QemuError) as error:
        print('not ok selftests # ' + str(error).replace('\n', '\n#   '))
        return 1
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
