#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""make kunit: our KUnit suites by the kernel's own kunit.py, on both CPUs.

One kernel is built and booted on each processor. Every case is told as a TAP
line "ok cpu.suite.case"; a suite that is expected and does not show up is a
failure, and so is a run that yields no result.

--granule 16 or 64 builds a kernel with pages of so many KiB instead, and runs
the suites of the page-table code on the CPU that has them.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tree  # noqa: E402

TOP = tree.TOP
BUILD = os.path.join(TOP, 'build')
CONFIG = 'tools/testing/kunit/pkvm.kunitconfig'
CPUS = ('a57', 'max')
# What the names of the page-table code's suites begin with.
PAGE_TABLES = 'pkvm_pgtable'


def kunit(verb, cpu, granule, *more):
    """The command line of one verb of kunit.py."""
    folder, pages = 'kunit', []
    if granule != 4:
        folder = f'kunit-{granule}k'
        pages = [f'--kconfig_add=CONFIG_ARM64_{granule}K_PAGES=y']
    return [sys.executable, 'tools/testing/kunit/kunit.py', verb, '--arch=arm64',
            '--cross_compile=aarch64-linux-gnu-', f'--build_dir={BUILD}/{folder}',
            f'--kunitconfig={CONFIG}', f'--qemu_config=tools/testing/kunit/pkvm_{cpu}.py',
            *pages, *more]


def call(command, log):
    """Run a command in build/linux with its output in log; its status."""
    # No byte code beside the scripts: build/linux holds sources only.
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE='1')
    with open(log, 'w') as output:
        return subprocess.run(command, cwd=os.path.join(BUILD, 'linux'), env=environment,
                              stdin=subprocess.DEVNULL, stdout=output,
                              stderr=subprocess.STDOUT, check=False).returncode


def expected_suites():
    """The suites that our sources define: the names in their kunit_suite."""
    names = []
    folder = os.path.join(TOP, 'drivers/virt/pkvm')
    for entry in sorted(os.listdir(folder) if os.path.isdir(folder) else []):
        if not entry.endswith('.c'):
            continue
        with open(os.path.join(folder, entry)) as file:
            inside = False
            for line in file:
                if line.startswith('static struct kunit_suite'):
                    inside = True
                elif inside and '.name' in line:
                    names.append(line.split('"')[1])
                    inside = False
    return names


def results(group, prefix=''):
    """Every case below a group of kunit.py's JSON: (name, status, is a suite)."""
    for case in group.get('test_cases', []):
        yield prefix + case['name'], case['status']
    for sub in group.get('sub_groups', []):
        yield from results(sub, f'{prefix}{sub["name"]}.')


def tell(cpu, found, suites):
    """TAP lines for one run; the number of failures."""
    failures = 0
    for name, status in found:
        if status == 'PASS':
            print(f'ok {cpu}.{name}')
        elif status == 'SKIP':
            print(f'ok {cpu}.{name} # SKIP')
        else:
            print(f'not ok {cpu}.{name} # {status}')
            failures += 1
    for suite in suites:
        if not any(name.startswith(suite + '.') for name, _ in found):
            print(f'not ok {cpu}.{suite} # the suite did not run')
            failures += 1
    return failures


def show(log):
    """The end of a log, as TAP comments."""
    with open(log, errors='replace') as file:
        for line in file.read().splitlines()[-25:]:
            print(f'#   {line}')


def run(cpu, granule, suites):
    """Boot the built kernel on one CPU; the number of failures."""
    label = cpu if granule == 4 else f'{cpu}-{granule}k'
    log = os.path.join(BUILD, 'log', f'kunit-{label}.log')
    with tempfile.NamedTemporaryFile(dir=BUILD, prefix='kunit.', suffix='.json') as report:
        status = call(kunit('exec', cpu, granule, '--timeout=300', f'--json={report.name}',
                            *([] if granule == 4 else [f'{PAGE_TABLES}*'])), log)
        try:
            found = list(results(json.load(report)))
        except ValueError:
            found = []
    failures = tell(label, found, suites)
    if status and not failures or not found:
        print(f'not ok {label}.kunit # kunit.py ended with status {status}, '
              f'{len(found)} results')
        failures += 1
    if failures:
        show(log)
    sys.stdout.flush()
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--cpu', choices=CPUS, help='this CPU alone')
    parser.add_argument('--granule', type=int, choices=(4, 16, 64), default=4,
                        help='KiB of a page of the kernel')
    parser.add_argument('--jobs', default=str(os.cpu_count()))
    args = parser.parse_args()
    os.makedirs(os.path.join(BUILD, 'log'), exist_ok=True)
    suites = expected_suites()
    if not suites:
        print('not ok kunit # drivers/virt/pkvm defines no suite')
        return 1
    cpus = [args.cpu] if args.cpu else CPUS
    if args.granule != 4:
        cpus = ['max']
        suites = [name for name in suites if name.startswith(PAGE_TABLES)]
    log = os.path.join(BUILD, 'log/kunit-build.log')
    print(f'# building KUnit kernel, {args.granule} KiB pages (log: {os.path.relpath(log, TOP)})',
          flush=True)
    with tree.locked():
        for command in (kunit('config', cpus[0], args.granule),
                        kunit('build', cpus[0], args.granule, f'--jobs={args.jobs}')):
            if call(command, log):
                show(log)
                print('not ok kunit # the kernel does not build')
                return 1
    return 1 if sum(run(cpu, args.granule, suites) for cpu in cpus) else 0


if __name__ == '__main__':
    sys.exit(main())
