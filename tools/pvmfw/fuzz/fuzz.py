#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Run the firmware's fuzzers for a time, starting with the seeds.

New inputs are kept in a corpus below build/, from which the next run continues. An input
that breaks a rule is kept too, and the command that repeats it is printed. The results are
TAP.
"""

import argparse
import concurrent.futures
import glob
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
BUILD = os.path.join(TOP, 'build')
# Inputs per second below which a fuzzer has failed; a slow machine does many more.
SLOWEST = 10


class FuzzError(Exception):
    """A fuzzer cannot run; the message says why."""


def seed(path):
    """The bytes of a seed, which is the source of a device tree or hexadecimal with comments."""
    if path.endswith('.dtsrc'):
        done = subprocess.run(['dtc', '-q', '-I', 'dts', '-O', 'dtb', path], stdout=subprocess.PIPE,
                              check=False)
        if done.returncode:
            raise FuzzError(f'dtc cannot compile {path}')
        return done.stdout
    with open(path) as file:
        text = [line for line in file.read().split('\n') if not line.startswith('#')]
    return bytes.fromhex(' '.join(text))


def fill(name, corpus):
    """Add the seeds of a fuzzer to its corpus."""
    os.makedirs(corpus, exist_ok=True)
    seeds = glob.glob(os.path.join(HERE, 'seeds', f'{name}-*'))
    if not seeds:
        raise FuzzError(f'{name} has no seed')
    for path in seeds:
        with open(os.path.join(corpus, os.path.basename(path)), 'wb') as file:
            file.write(seed(path))


def run(name, objects, seconds):
    """Run one fuzzer: (why it failed or None, number of inputs that it ran)."""
    corpus = os.path.join(BUILD, 'fuzz', name)
    findings = os.path.join(BUILD, 'fuzz', f'{name}.found.')
    fill(name, corpus)
    program = os.path.join(objects, 'fuzz', f'fuzz_{name}')
    done = subprocess.run([program, f'-max_total_time={seconds}', '-timeout=10',
                           '-rss_limit_mb=2048', '-print_final_stats=1', '-verbosity=1',
                           f'-artifact_prefix={findings}', corpus],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors='replace', check=False)
    with open(os.path.join(BUILD, 'log', f'fuzz-{name}.log'), 'w') as log:
        log.write(done.stdout)
    count = re.search(r'^stat::number_of_executed_units: (\d+)', done.stdout, re.M)
    count = int(count.group(1)) if count else 0
    if done.returncode:
        kept = re.findall(rf'{re.escape(findings)}\S+', done.stdout)
        cause = next((line for line in done.stdout.split('\n') if 'ERROR' in line or
                      'runtime error' in line), f'status {done.returncode}')
        return f'{cause}; repeat by: {program} {kept[-1] if kept else corpus}', count
    if count < SLOWEST * seconds:
        return f'only {count} inputs in {seconds} s', count
    return None, count


def main():
    names = sorted(os.path.basename(path)[5:-2] for path in
                   glob.glob(os.path.join(HERE, 'fuzz_*.c')))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seconds', type=int, default=60, help='time for each fuzzer')
    parser.add_argument('--jobs', type=int, default=os.cpu_count(), help='fuzzers at a time')
    parser.add_argument('--objects', default=os.path.join(BUILD, 'pvmfw-obj'),
                        help='directory in which they are built')
    parser.add_argument('--kernel', default=os.path.join(BUILD, 'linux'),
                        help='a kernel tree, for libfdt')
    parser.add_argument('name', nargs='*', help=f'{", ".join(names)}; default: all')
    args = parser.parse_args()
    for name in args.name:
        if name not in names:
            parser.error(f'no fuzzer {name}; choose from {", ".join(names)}')
    os.makedirs(os.path.join(BUILD, 'log'), exist_ok=True)
    if subprocess.run(['make', '-C', os.path.dirname(HERE), f'O={args.objects}',
                       f'KSRC={args.kernel}', f'-j{args.jobs}', 'fuzz'], stdout=sys.stderr,
                      check=False).returncode:
        print('Bail out! the fuzzers cannot be built')
        return 1
    chosen, failed = args.name or names, 0
    print(f'1..{len(chosen)}', flush=True)
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        runs = pool.map(lambda name: run(name, args.objects, args.seconds), chosen)
        try:
            for number, (name, (cause, count)) in enumerate(zip(chosen, runs), 1):
                print(f'{"not " if cause else ""}ok {number} - fuzz {name}, {args.seconds} s, '
                      f'{count} inputs', flush=True)
                if cause:
                    failed += 1
                    print(f'# {cause}', flush=True)
        except (FuzzError, OSError, ValueError) as error:
            print(f'Bail out! {error}')
            return 1
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
