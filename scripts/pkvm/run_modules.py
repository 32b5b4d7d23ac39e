#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Part of make test: our KUnit suites as loadable modules.

make -C <kernel> M=<this tree> modules builds them for a host kernel that has
KUnit and was configured without them; inserting a module in a protected host
runs its suites. Each case is a TAP line; a module that brings none has failed.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cpus  # noqa: E402
import qemu  # noqa: E402
import tree  # noqa: E402

TOP = qemu.TOP
BUILD = qemu.BUILD
KERNEL = os.path.join(BUILD, 'test-host')
FIRMWARE = os.path.join(BUILD, 'pvmfw.bin')
# A case is one level further in than its suite.
CASE = re.compile(r'^\[ *[\d.]+\]     (not )?ok \d+ (\S+)( # SKIP.*)?', re.M)
BAD_SUITE = re.compile(r'^\[ *[\d.]+\] not ok \d+ (\S+)', re.M)


def step(log, *command, **more):
    """Run a command with its output in log; tell and raise if it fails."""
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


def build(source, jobs):
    """The host of the tests, then the modules from a copy of this tree's files."""
    print('# building build/test-host and the modules', flush=True)
    step('test-host.mk.log', 'make', f'-j{jobs}', '-f', 'scripts/pkvm/build.mk', 'test-host')
    # A copy, so that no object lands in the checkout.
    shutil.copy(os.path.join(TOP, 'Kbuild'), source)
    for path in tree.our_files():
        if path.startswith('drivers/'):
            os.makedirs(os.path.dirname(os.path.join(source, path)), exist_ok=True)
            shutil.copy(os.path.join(TOP, path), os.path.join(source, path))
    step('modules.log', 'make', '-C', KERNEL, f'M={source}', 'ARCH=arm64', 'LLVM=1',
         f'-j{jobs}', 'W=1', 'modules')
    modules = []
    for folder, _, files in os.walk(source):
        modules += [os.path.join(folder, name) for name in files if name.endswith('.ko')]
    return sorted(modules)


def run(cpu, modules):
    """Insert each module in a protected host that has a firmware; whether every case passed."""
    names = [os.path.basename(path) for path in modules]
    host = qemu.boot([f'insmod /{name}' for name in names], cpu=cpu, verbose=True,
                     kernel=os.path.join(KERNEL, 'dist/Image'), limit=400, mem=3072,
                     firmware=FIRMWARE,
                     files={f'/{name}': path for name, path in zip(names, modules)},
                     log=os.path.join(BUILD, 'log', f'modules-{cpu}.log'))
    good = True
    for name, job in zip(names, host.jobs):
        label = f'{cpu}.{name}'
        cases = CASE.findall(job.output)
        for failed, case, skip in cases:
            print(f'{failed}ok {label}: {case}{skip.rstrip()}')
            good = good and not failed
        bad = BAD_SUITE.findall(job.output)
        if bad and good:
            print(f'not ok {label} # of {", ".join(bad)}, but none of its cases')
            good = False
        if job.status or not cases:
            print(f'not ok {label} # status {job.status}, {len(cases)} cases')
            good = False
    if host.cause:
        print(f'not ok {cpu}.modules # {host.cause}')
        good = False
    if not good:
        for line in host.console.strip().split('\n')[-30:]:
            print(f'#   {line}')
    sys.stdout.flush()
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cpus.add_option(parser)
    parser.add_argument('--jobs', default=str(os.cpu_count()))
    args = parser.parse_args()
    os.makedirs(os.path.join(BUILD, 'log'), exist_ok=True)
    with tempfile.TemporaryDirectory(prefix='modules.', dir=BUILD) as source:
        with tree.locked():
            modules = build(source, args.jobs)
        if not modules:
            print('not ok modules # this tree builds none')
            return 1
        try:
            good = [run(cpu, modules)
                    for cpu in ([args.cpu] if args.cpu else cpus.WHOLE)]
        except qemu.QemuError as error:
            print(f'not ok modules # {error}')
            return 1
    return 0 if all(good) else 1


if __name__ == '__main__':
    sys.exit(main())
