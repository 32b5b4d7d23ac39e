#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""make kunit: run our KUnit suites by the kernel's own kunit.py, on two CPUs.

The script builds a small kernel with the suites built in, and boots it on each CPU. It prints each
case as a TAP line "ok cpu.suite.case". A suite of this tree without results is a failure, and so
is a run without results.

--granule 16 or 64 builds a kernel with 16 or 64 KiB pages instead, and boots it on a CPU that
supports them.

--steps N runs only the random sequences of page-table operations, with N steps in total.
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
# The page-table suites that take a number of steps.
RANDOM = 'pkvm_pgtable*random'
# A suite whose cases must not be skipped with 4 KiB pages: the host has blocks of each size then.
COMPLETE = 'pkvm_el2_coalesce.'
# The time limit in seconds without --steps.
LIMIT = 300
# KUnit ends a case after 300 seconds, so long sequences run in rounds. Each round does ROUND steps
# with enough memory, and a third of that without, on a guest's table and on the host's.
ROUND = 15000
STEPS_OF_ROUND = 2 * (ROUND + ROUND // 3)
# Steps per second, for the time limit only: fewer than on any machine tested.
PACE = 50


def kunit(verb, granule, *more):
    """Return the command line for a subcommand of kunit.py."""
    return [sys.executable, 'tools/testing/kunit/kunit.py', verb, '--arch=arm64',
            '--cross_compile=aarch64-linux-gnu-', f'--build_dir={BUILD}/kunit-{granule}k',
            f'--kunitconfig={CONFIG}', f'--qemu_config={QEMU_CONFIG}', *more]


def call(command, log, words='', where=os.path.join(BUILD, 'linux')):
    """Run a command with its output in a log. Return its exit status.

    words are kernel parameters. They are passed in the environment, since kunit.py would put its
    own option --kernel_args before the parameters of its QEMU configuration.
    """
    # Python must not write byte code, since build/linux must only have sources.
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE='1', PKVM_KERNEL_ARGS=words)
    with open(log, 'w') as output:
        return subprocess.run(command, cwd=where, env=environment,
                              stdin=subprocess.DEVNULL, stdout=output,
                              stderr=subprocess.STDOUT, check=False).returncode


def expected_suites():
    """Return the names of the suites that our sources define by a struct kunit_suite."""
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
    """Yield name and status of each case in a group of kunit.py's JSON report."""
    for case in group.get('test_cases', []):
        yield prefix + case['name'], case['status']
    for sub in group.get('sub_groups', []):
        yield from results(sub, f'{prefix}{sub["name"]}.')


def tell(cpu, found, suites):
    """Print the TAP lines of one run. Return the number of failures."""
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
    """Print the end of a log as TAP comments."""
    with open(log, errors='replace') as file:
        for line in file.read().splitlines()[-25:]:
            print(f'#   {line}')


def long_run(steps, seed):
    """Return kunit.py's options for at least this number of random steps, and a description."""
    rounds = -(-steps // STEPS_OF_ROUND)
    seed = seed or secrets.randbits(32) | 1
    values = {'steps': ROUND, 'rounds': rounds, 'seed': seed}
    return ([f'--timeout={rounds * STEPS_OF_ROUND // PACE + LIMIT}',
             *(f'--kernel_args=pkvm_pgtable_kunit.{key}={value}' for key, value in values.items())],
            f'{rounds * STEPS_OF_ROUND:,} steps in {rounds} rounds, seed={seed}')


def run(cpu, granule, suites, steps, seed):
    """Boot the kernel on one CPU and print its results. Return the number of failures."""
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
                        help='page size of the kernel in KiB')
    parser.add_argument('--steps', type=int, help='run only this number of random steps')
    parser.add_argument('--seed', type=lambda text: int(text, 0), help='with --steps: the seed of '
                        'the run to repeat')
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
    with tree.locked():
        if not tree.tests_built() and call(
                ['make', f'-j{args.jobs}', '-f', 'scripts/pkvm/build.mk',
                 f'build/kunit-{args.granule}k/Image'], log, where=TOP):
            show(log)
            print('not ok kunit # the kernel does not build')
            return 1
    return 1 if sum(run(cpu, args.granule, suites, args.steps, args.seed)
                    for cpu in names) else 0


if __name__ == '__main__':
    sys.exit(main())
