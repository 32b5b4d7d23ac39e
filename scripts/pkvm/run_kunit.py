#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""make kunit: our KUnit suites by the kernel's own kunit.py, on two CPUs.

One kernel, which has next to nothing else, is built and booted on each processor.
Every case is told as a TAP line "ok cpu.suite.case"; a suite that is expected and
does not show up is a failure, and so is a run that yields no result.

--granule 16 or 64 builds a kernel with pages of so many KiB instead, and boots
it on a CPU that has them.

--steps N runs the random sequences of the page-table code alone, N steps in all.
"""

import argparse
import fnmatch
import json
import os
import secrets
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cpus  # noqa: E402
import qemu  # noqa: E402
import tree  # noqa: E402

TOP = tree.TOP
BUILD = os.path.join(TOP, 'build')
CONFIG = 'tools/testing/kunit/pkvm.kunitconfig'
QEMU_CONFIG = 'tools/testing/kunit/pkvm_qemu.py'
# Of the suites of the page-table code those that take a number of steps.
RANDOM = 'pkvm_pgtable*random'
# What may not be skipped where pages have 4 KiB: there is memory in blocks of each size.
COMPLETE = 'pkvm_el2_coalesce.'
# Seconds for suites that do as much as they do by default.
LIMIT = 300
# Long sequences are run in rounds, for KUnit ends a case after 300 seconds: of a guest's
# table and of the host's, so many steps with memory and a third of that without.
ROUND = 15000
STEPS_OF_ROUND = 2 * (ROUND + ROUND // 3)
# Fewer steps a second than ever seen.
PACE = 50


def kunit(verb, granule, *more):
    """The command line of one verb of kunit.py."""
    return [sys.executable, 'tools/testing/kunit/kunit.py', verb, '--arch=arm64',
            '--cross_compile=aarch64-linux-gnu-', f'--build_dir={BUILD}/kunit-{granule}k',
            f'--kunitconfig={CONFIG}', f'--qemu_config={QEMU_CONFIG}', *more]


def call(command, log, words='', where=os.path.join(BUILD, 'linux')):
    """Run a command with its output in log; its status.

    words are for the kernel's command line, where the order counts: what kunit.py is given
    comes before what its configuration has.
    """
    # No byte code beside the scripts: build/linux holds sources only.
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE='1', PKVM_KERNEL_ARGS=words)
    with open(log, 'w') as output:
        return subprocess.run(command, cwd=where, env=environment,
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
        elif status == 'SKIP' and not (name.startswith(COMPLETE) and cpu in cpus.CPUS):
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


def long_run(steps, seed):
    """(options of kunit.py, what to tell) for so many steps of the random sequences, or more."""
    rounds = -(-steps // STEPS_OF_ROUND)
    seed = seed or secrets.randbits(32) | 1
    values = {'steps': ROUND, 'rounds': rounds, 'seed': seed}
    return ([f'--timeout={rounds * STEPS_OF_ROUND // PACE + LIMIT}',
             *(f'--kernel_args=pkvm_pgtable_kunit.{key}={value}' for key, value in values.items())],
            f'{rounds * STEPS_OF_ROUND:,} steps in {rounds} rounds, seed={seed}')


def run(cpu, granule, suites, steps, seed):
    """Boot the built kernel on one CPU; the number of failures."""
    label = cpu if granule == 4 else f'{cpu}-{granule}k'
    log = os.path.join(BUILD, 'log', f'kunit-{label}.log')
    options = [f'--timeout={LIMIT}']
    if steps:
        options, limits = long_run(steps, seed)
        options.append(RANDOM)
        print(f'# {label}: {limits}', flush=True)
    with tempfile.NamedTemporaryFile(dir=BUILD, prefix='kunit.', suffix='.json') as report:
        what = cpus.CPUS[cpu]
        status = call(kunit('exec', granule, f'--qemu_args=-cpu {what.model}',
                            f'--json={report.name}', *options), log, what.words)
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
    cpus.add_option(parser)
    parser.add_argument('--granule', type=int, choices=(4, 16, 64), default=4,
                        help='KiB of a page of the kernel')
    parser.add_argument('--steps', type=int, help='of the random sequences, and nothing else')
    parser.add_argument('--seed', type=lambda text: int(text, 0), help='with --steps, of an '
                        'earlier run')
    parser.add_argument('--jobs', default=str(os.cpu_count()))
    args = parser.parse_args()
    if args.steps is not None and args.steps < 1:
        parser.error('--steps: at least 1')
    os.makedirs(os.path.join(BUILD, 'log'), exist_ok=True)
    try:
        qemu.check_version()
    except qemu.QemuError as error:
        print('not ok kunit # ' + str(error).replace('\n', '\n#   '))
        return 1
    suites = expected_suites()
    if not suites:
        print('not ok kunit # drivers/virt/pkvm defines no suite')
        return 1
    names = [args.cpu] if args.cpu else cpus.WHOLE[0 if args.granule == 4 else -1:]
    for name in names:
        if args.granule not in cpus.CPUS[name].pages:
            parser.error(f'CPU {name} has no pages of {args.granule} KiB')
    if args.steps:
        suites = fnmatch.filter(suites, RANDOM)
    log = os.path.join(BUILD, 'log/kunit-build.log')
    print(f'# building KUnit kernel, {args.granule} KiB pages (log: {os.path.relpath(log, TOP)})',
          flush=True)
    with tree.locked():
        if call(['make', f'-j{args.jobs}', '-f', 'scripts/pkvm/build.mk',
                 f'build/kunit-{args.granule}k/Image'], log, where=TOP):
            show(log)
            print('not ok kunit # the kernel does not build')
            return 1
    return 1 if sum(run(cpu, args.granule, suites, args.steps, args.seed)
                    for cpu in names) else 0


if __name__ == '__main__':
    sys.exit(main())
