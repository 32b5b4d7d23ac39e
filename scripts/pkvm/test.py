#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""make test: every layer of tests, one count, one verdict.

Each part is a command that tells its results as TAP. A part counts as failed
once more if it ends badly without a failed result, if it tells no result at
all, or if it told another number of results than it planned: what crashed must
not look like what passed. The last line is "N passed, N failed".
"""

import argparse
import os
import re
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPTS = 'scripts/pkvm'

RESULT = re.compile(r'^(not )?ok\b(.*)$')
PLAN = re.compile(r'^1\.\.(\d+)\b')
SKIP = re.compile(r'#\s*SKIP\b', re.I)


def parts(jobs):
    """(layer, part, command, seconds that it may take), in order."""
    linux = f'KSRC={TOP}/build/linux'
    known = [
        ('1 native', 'pvmfw', ['make', '-C', 'tools/pvmfw', linux,
                               f'O={TOP}/build/pvmfw-obj', 'test'], 600),
        ('1 native', 'fuzz', ['tools/pvmfw/fuzz/fuzz.py', '--seconds', '60', '--jobs', jobs], 900),
        ('1 native', 'vmm', ['make', '-C', 'tools/vmm', linux,
                             f'O={TOP}/build/vmm-obj', 'test'], 600),
        ('1 native', 'bench', ['tools/testing/bench/test_bench.py'], 300),
        ('1 native', 'infra', ['tools/testing/infra/infra.py'], 2400),
        ('2 and 3 kunit', 'kunit', [f'{SCRIPTS}/run_kunit.py', '--jobs', jobs], 1800),
        ('2 and 3 kunit', 'kunit 16k', [f'{SCRIPTS}/run_kunit.py', '--granule', '16',
                                        '--jobs', jobs], 2400),
        ('2 and 3 kunit', 'kunit 64k', [f'{SCRIPTS}/run_kunit.py', '--granule', '64',
                                        '--jobs', jobs], 2400),
        ('2 and 3 kunit', 'modules', [f'{SCRIPTS}/run_modules.py'], 900),
        ('4 selftests', 'selftests', [f'{SCRIPTS}/run_selftests.py', '--jobs', jobs], 1800),
        ('4 selftests', 'debug', [f'{SCRIPTS}/run_selftests.py', '--debug', '--jobs', jobs], 2400),
        ('4 selftests', 'base', [f'{SCRIPTS}/run_base.py', '--jobs', jobs], 1800),
    ]
    for cpu in ('a57', 'max'):
        known += [
            ('5 end to end', f'firmware {cpu}',
             ['tools/pvmfw/tests/boot.py', '--cpu', cpu], 900),
            ('5 end to end', f'vmm {cpu}',
             ['make', '-C', 'tools/vmm', linux, f'O={TOP}/build/vmm-obj', 'vmtest',
              f'CPU={cpu}'], 900),
            ('5 end to end', f'system {cpu}', [f'{SCRIPTS}/run_system.py', '--cpu', cpu], 1800),
            ('5 end to end', f'stress {cpu}',
             [f'{SCRIPTS}/run_stress.py', '--cpu', cpu, '--jobs', jobs], 600),
            ('5 end to end', f'fuzz-guest {cpu}',
             [f'{SCRIPTS}/run_fuzz_guest.py', '--cpu', cpu, '--jobs', jobs], 600),
        ]
    return known


class Count:
    """What the TAP lines of one part add up to."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.planned = None
        self.told = 0
        self.broken = []

    def close_plan(self):
        """Hold the results since the last plan against it."""
        if self.planned is not None and self.planned != self.told:
            self.broken.append(f'{self.planned} results planned, {self.told} told')
        self.planned, self.told = None, 0

    def line(self, text):
        """Take one line of output; whether it is a failure."""
        plan = PLAN.match(text)
        if plan:
            # A plan may also stand at the end of its results.
            if self.planned is None and self.told and self.told == int(plan.group(1)):
                self.told = 0
                return False
            self.close_plan()
            self.planned, self.told = int(plan.group(1)), 0
            return False
        result = RESULT.match(text)
        if not result:
            return False
        self.told += 1
        if SKIP.search(result.group(2)):
            self.skipped += 1
        elif result.group(1):
            self.failed += 1
            return True
        else:
            self.passed += 1
        return False

    def end(self, status):
        """The part has ended: add a failure for each way in which it is broken."""
        self.close_plan()
        if not self.passed + self.failed + self.skipped:
            self.broken.append('it told no result')
        if status and not self.failed:
            self.broken.append(f'it ended with status {status}')
        self.failed += len(self.broken)


def run_part(name, command, limit, log):
    """Run one part, echo its results; its Count."""
    count = Count()
    start = time.monotonic()
    with open(log, 'w') as output:
        try:
            process = subprocess.Popen(['timeout', '--kill-after=10', str(limit), *command],
                                       cwd=TOP, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                       text=True, errors='replace')
        except OSError as error:
            count.broken.append(f'it cannot be run: {error.strerror}')
            count.end(0)
            return count
        for line in process.stdout:
            output.write(line)
            count.line(line.rstrip('\n'))
            if RESULT.match(line) or line.startswith('#'):
                print(line, end='', flush=True)
        status = process.wait()
    if status == 124:
        count.broken.append(f'it did not end within {limit} s')
    count.end(status)
    for reason in count.broken:
        print(f'not ok {name} # {reason}')
    if count.broken:
        with open(log) as output:
            for line in output.read().splitlines()[-20:]:
                print(f'#   {line}')
    print(f'# {name}: {count.passed} passed, {count.failed} failed, {count.skipped} skipped, '
          f'{time.monotonic() - start:.0f} s', flush=True)
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--jobs', default=str(os.cpu_count()))
    parser.add_argument('part', nargs='*', help='only these parts')
    args = parser.parse_args()
    known = parts(args.jobs)
    for name in set(args.part) - {part for _, part, _, _ in known}:
        parser.error(f'there is no part "{name}"')
    os.makedirs(os.path.join(TOP, 'build/log'), exist_ok=True)
    passed = failed = skipped = 0
    shown = None
    for layer, name, command, limit in known:
        if args.part and name not in args.part:
            continue
        if layer != shown:
            print(f'# layer {layer}', flush=True)
            shown = layer
        log = os.path.join(TOP, 'build/log', f'test-{name.replace(" ", "-")}.log')
        count = run_part(name, command, limit, log)
        passed += count.passed
        failed += count.failed
        skipped += count.skipped
    print(f'# all parts: {skipped} skipped')
    print(f'{passed} passed, {failed} failed')
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
