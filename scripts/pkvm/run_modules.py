#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Part of make test: run our KUnit suites as loadable modules on a protected host.

The script builds the modules by make -C <kernel> M=<this tree> modules, for a host kernel with
KUnit. Inserting a module runs its suites. The script prints each case as a TAP line. A suite of
this tree without results is a failure.

The EL2 suites run a second time on a machine with secure firmware that implements FF-A, and the
SMMU suite on a machine with an SMMU. There their cases must not be skipped.

--granule 16 uses the host with 16 KiB pages, and the modules that were built with it.
"""

import argparse
import filecmp
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import boards  # noqa: E402
import cpus  # noqa: E402
import qemu  # noqa: E402
import run_kunit  # noqa: E402
import run_selftests  # noqa: E402
import tap  # noqa: E402
import tree  # noqa: E402

TOP = qemu.TOP
BUILD = qemu.BUILD
FIRMWARE = os.path.join(BUILD, 'pvmfw.bin')
# The copy of the modules' sources, where they are built.
SOURCE = os.path.join(BUILD, 'modules')
LIMIT = 400
# MiB of memory. The suites need whole blocks of each size.
MEMORY = 4096
# With pages of 4 KiB EL2 has tables for memory and its vmemmap alone, so that a test sees if it has
# not counted them all. With 16 KiB a table maps the vmemmap of so much memory that the test could
# not see it, and EL2's other mappings need the tables that it has for them.
APPEND = {4: 'kvm-arm.hyp_private_mib=0', 16: ''}
# Machines other than the usual one: the module that runs again there, its suite that needs the
# machine, and the options that make the machine.
MACHINES = {
    'secure': ('pkvm_el2_kunit.ko', 'pkvm_el2_ffa', {'spmc': qemu.SPMC}),
    'smmu': ('pkvm_smmu_kunit.ko', 'pkvm_smmu',
             {'board': 'virt-smmu', 'append': boards.SMMU_WORDS}),
}


def step(log, *command, **more):
    """Run a command with its output in a log. If it fails, print the end of the log and exit."""
    path = os.path.join(BUILD, 'log', log)
    with open(path, 'w') as output:
        done = subprocess.run(command, cwd=TOP, stdin=subprocess.DEVNULL, stdout=output,
                              stderr=subprocess.STDOUT, check=False, **more)
    if done.returncode:
        with open(path) as output:
            print(f'not ok modules # {" ".join(command[:4])} failed')
            for line in output.read().splitlines()[-20:]:
                print(f'#   {line}')
        raise SystemExit(1)


def kernel(granule):
    """Return the paths of the host's Image and of the directory with its objects."""
    return {4: (run_selftests.TEST_IMAGE, os.path.join(BUILD, 'test-host')),
            16: (qemu.image(16), os.path.join(BUILD, 'host-16k'))}[granule]


def modules_of(objects, folder):
    """Return the paths of the modules that kbuild built in a folder for a host kernel."""
    order = tree.read(os.path.join(folder, 'modules.order')) or ''
    return sorted(os.path.join(objects, line.removesuffix('.o') + '.ko')
                  for line in order.split())


def copy_sources():
    """Copy the sources of the modules, so that no object is written to the checkout.

    A file that has not changed is not copied again, so that make does not compile it again.
    """
    now = {os.path.join(SOURCE, path): os.path.join(TOP, path)
           for path in ['Kbuild', *tree.our_files()] if path == 'Kbuild' or
           path.startswith('drivers/')}
    for folder, _, files in os.walk(SOURCE):
        for path in (os.path.join(folder, name) for name in files):
            if path.endswith(('.c', '.h', '.S')) and path not in now:
                os.remove(path)
    for target, source in now.items():
        if not os.path.exists(target) or not filecmp.cmp(source, target, shallow=False):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy(source, target)


def build(granule, jobs):
    """Build the host kernel and its modules. Return the paths of the modules.

    The modules of the host with 16 KiB pages are built in its tree, those of the other one from
    a copy of this tree's files.
    """
    image, objects = kernel(granule)
    if not tree.tests_built():
        step(f'{os.path.basename(objects)}.mk.log', 'make', f'-j{jobs}', '-f',
             'scripts/pkvm/build.mk', os.path.relpath(image, TOP), 'build/spmc.bin')
    if granule != 4:
        return modules_of(objects, os.path.join(objects, 'drivers/virt/pkvm'))
    if not tree.tests_built():
        copy_sources()
        step('modules.log', 'make', '-C', objects, f'M={SOURCE}', 'ARCH=arm64',
             'CROSS_COMPILE=aarch64-linux-gnu-', f'-j{jobs}', 'modules')
    return modules_of(objects, SOURCE)


def tell(label, granule, jobs, suite_of_machine):
    """Print the TAP lines of jobs that inserted one module each. Return whether all passed."""
    if suite_of_machine:
        complete, expected = suite_of_machine + '.', [suite_of_machine]
    else:
        complete, expected = run_kunit.COMPLETE, run_kunit.expected_suites()
    if granule != 4:
        complete = ()
    good, seen = True, set()

    def line(name, problem, more=''):
        nonlocal good
        good = good and not problem
        print(f'{"not " if problem else ""}ok {label}.{name}{more or problem and f" # {problem}"}')

    for job in jobs:
        suites = tap.suites(job.output)
        if job.status or not suites:
            line(job.line, f'status {job.status}, {len(suites)} suites')
        for suite, (verdict, cases) in suites.items():
            seen.add(suite)
            for case in cases:
                name = f'{suite}.{case.name}'
                if case.skipped and name.startswith(complete):
                    line(name, 'it must not be skipped')
                else:
                    line(name, 'FAIL' if case.failed else '', ' # SKIP' if case.skipped else '')
            if verdict.failed and not any(case.failed for case in cases):
                line(suite, 'the suite failed, but none of its cases did')
    for suite in expected:
        if suite not in seen:
            line(suite, 'the suite did not run')
    return good


def run(cpu, granule, modules, machine):
    """Insert each module on a protected host with a guest firmware. Return whether all passed."""
    image, objects = kernel(granule)
    module, suite, more = MACHINES.get(machine, (None, None, {}))
    append = f'{APPEND[granule]} {more.get("append", "")}'.strip()
    if module:
        modules = [path for path in modules if os.path.basename(path) == module]
    modules = [os.path.join(objects, 'lib/kunit/kunit.ko'), *modules]
    names = [os.path.basename(path) for path in modules]
    label = cpu if granule == 4 else f'{cpu}-{granule}k'
    if machine:
        label += f'-{machine}'
    host = qemu.boot([f'insmod /{name}' for name in names], cpu=cpu, verbose=True,
                     kernel=image, limit=LIMIT, mem=MEMORY,
                     firmware=FIRMWARE if granule == 4 else None,
                     files={f'/{name}': path for name, path in zip(names, modules)},
                     log=os.path.join(BUILD, 'log', f'modules-{label}.log'),
                     **{**more, 'append': append})
    good = tell(label, granule, host.jobs[1:], suite)
    if host.cause:
        print(f'not ok {label}.modules # {host.cause}')
        good = False
    if not good:
        for line in host.console.strip().split('\n')[-30:]:
            print(f'#   {line}')
    sys.stdout.flush()
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cpus.add_option(parser)
    parser.add_argument('--granule', type=int, choices=(4, 16), default=4,
                        help='page size of the host in KiB')
    parser.add_argument('--build', action='store_true', help='build the modules, but run none')
    parser.add_argument('--jobs', default=str(os.cpu_count()))
    args = parser.parse_args()
    os.makedirs(os.path.join(BUILD, 'log'), exist_ok=True)
    # The last CPU of cpus.WHOLE supports all page sizes.
    names = [args.cpu] if args.cpu else cpus.WHOLE[0 if args.granule == 4 else -1:]
    for name in names:
        if args.granule not in cpus.CPUS[name].pages:
            parser.error(f'CPU {name} has no pages of {args.granule} KiB')
    with tree.locked():
        modules = build(args.granule, args.jobs)
    if not modules:
        print('not ok modules # no module was built')
        return 1
    if args.build:
        return 0
    try:
        good = [run(cpu, args.granule, modules, machine)
                for cpu in names for machine in (None, *MACHINES)]
    except qemu.QemuError as error:
        print(f'not ok modules # {error}')
        return 1
    return 0 if all(good) else 1


if __name__ == '__main__':
    sys.exit(main())
