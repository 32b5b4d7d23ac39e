#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""make test: every layer of tests, one count, one verdict.

Each part is a command that tells its results as TAP. A part counts as failed
once more if it ends badly without a failed result, if it tells no result at
all, or if it told another number of results than it planned: what crashed must
not look like what passed. Two lanes of parts run at a time, and each tells its results
as they come. The last line is "N passed, N failed".
"""

import argparse
import concurrent.futures
import dataclasses
import os
import re
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cpus  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPTS = 'scripts/pkvm'

RESULT = re.compile(r'^(not )?ok\b(.*)$')
PLAN = re.compile(r'^1\.\.(\d+)\b')
SKIP = re.compile(r'#\s*SKIP\b', re.I)
TELLING = threading.Lock()


@dataclasses.dataclass(frozen=True)
class Part:
    """A command that tells results, and how many seconds it may take beside another lane."""
    layer: str
    name: str
    command: list
    limit: int


def lanes(jobs):
    """The parts, in lanes that run beside each other; in each, one part after the other.

    QEMU keeps one processor busy most of the time and hardly ever two. What would write to
    the same place below build/ without the build's lock stands in one lane.
    """
    linux = f'KSRC={TOP}/build/linux'

    def make(program, goal, *more):
        return ['make', '-C', f'tools/{program}', linux, f'O={TOP}/build/{program}-obj', goal,
                *more]

    def script(name, *more):
        return [f'{SCRIPTS}/{name}.py', *more]

    def of_cpu(cpu):
        return [
            Part('4 selftests', f'selftests {cpu}',
                 script('run_selftests', '--cpu', cpu, '--jobs', jobs), 2400),
            Part('4 selftests', f'base {cpu}',
                 script('run_base', '--cpu', cpu, '--jobs', jobs), 1800),
            Part('5 end to end', f'system {cpu}', script('run_system', '--cpu', cpu), 2400),
            Part('5 end to end', f'stress {cpu}',
                 script('run_stress', '--cpu', cpu, '--jobs', jobs), 600),
            Part('5 end to end', f'starts {cpu}',
                 script('run_starts', '--cpu', cpu, '--jobs', jobs), 600),
            Part('5 end to end', f'fuzz-guest {cpu}',
                 script('run_fuzz_guest', '--cpu', cpu, '--jobs', jobs), 900),
        ]

    def programs(cpu):
        return [
            Part('5 end to end', f'firmware {cpu}', ['tools/pvmfw/tests/boot.py', '--cpu', cpu],
                 1200),
            Part('5 end to end', f'vmm {cpu}', make('vmm', 'vmtest', f'CPU={cpu}'), 1200),
        ]

    first, second = cpus.WHOLE
    return [
        [Part('2 and 3 kunit', 'kunit', script('run_kunit', '--jobs', jobs), 1800),
         Part('2 and 3 kunit', 'kunit 16k',
              script('run_kunit', '--granule', '16', '--jobs', jobs), 2400),
         Part('2 and 3 kunit', 'kunit 64k',
              script('run_kunit', '--granule', '64', '--jobs', jobs), 2400),
         Part('2 and 3 kunit', 'modules', script('run_modules', '--jobs', jobs), 1200),
         *of_cpu(first)],
        [Part('1 native', 'checks', script('check', '--style', '--jobs', jobs), 1800),
         Part('1 native', 'pvmfw', make('pvmfw', 'test'), 900),
         Part('1 native', 'fuzz',
              ['tools/pvmfw/fuzz/fuzz.py', '--seconds', '60', '--jobs', jobs], 900),
         Part('1 native', 'vmm', make('vmm', 'test'), 900),
         Part('1 native', 'bench', ['tools/testing/bench/test_bench.py'], 300),
         Part('1 native', 'infra', ['tools/testing/infra/infra.py'], 2400),
         *programs(first), *programs(second), *of_cpu(second),
         Part('5 end to end', 'cpus', script('run_cpus', '--jobs', jobs), 1500),
         Part('4 selftests', 'debug', script('run_selftests', '--debug', '--jobs', jobs), 2400)],
    ]


class Count:
    """What the TAP lines of one part add up to."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.planned = None
        self.results = 0
        self.broken = []

    def close_plan(self):
        """Hold the results since the last plan against it."""
        if self.planned is not None and self.planned != self.results:
            self.broken.append(f'{self.planned} results planned, {self.results} reported')
        self.planned, self.results = None, 0

    def line(self, text):
        """Take one line of output; whether it is a failure."""
        plan = PLAN.match(text)
        if plan:
            # A plan may also stand at the end of its results.
            if self.planned is None and self.results and self.results == int(plan.group(1)):
                self.results = 0
                return False
            self.close_plan()
            self.planned, self.results = int(plan.group(1)), 0
            return False
        result = RESULT.match(text)
        if not result:
            return False
        self.results += 1
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
            self.broken.append('it reported no result')
        if status and not self.failed:
            self.broken.append(f'it ended with status {status}')
        self.failed += len(self.broken)


def tell(*lines):
    """Print lines that stand together, whatever another lane prints."""
    with TELLING:
        print(*lines, sep='\n', flush=True)


def run_part(part):
    """Run one part, echo its results; its Count."""
    count = Count()
    start = time.monotonic()
    log = os.path.join(TOP, 'build/log', f'test-{part.name.replace(" ", "-")}.log')
    with open(log, 'w') as output, \
            subprocess.Popen(['timeout', '--kill-after=10', str(part.limit), *part.command],
                             cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, errors='replace') as process:
        for line in process.stdout:
            output.write(line)
            count.line(line.rstrip('\n'))
            if RESULT.match(line) or line.startswith('#'):
                tell(line.rstrip('\n'))
        status = process.wait()
    if status == 124:
        count.broken.append(f'it did not end within {part.limit} s')
    count.end(status)
    reasons = [f'not ok {part.name} # {reason}' for reason in count.broken]
    if reasons:
        with open(log) as output:
            reasons += [f'#   {line}' for line in output.read().splitlines()[-20:]]
    tell(*reasons, f'# layer {part.layer}: {part.name}: {count.passed} passed, '
                   f'{count.failed} failed, {count.skipped} skipped, '
                   f'{time.monotonic() - start:.0f} s')
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--jobs', default=str(os.cpu_count()))
    parser.add_argument('part', nargs='*', help='only these parts')
    args = parser.parse_args()
    wanted = lanes(args.jobs)
    for name in set(args.part) - {part.name for lane in wanted for part in lane}:
        parser.error(f'there is no part "{name}"')
    if args.part:
        wanted = [[part for part in lane if part.name in args.part] for lane in wanted]
    os.makedirs(os.path.join(TOP, 'build/log'), exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(len(wanted)) as pool:
        counts = sum(pool.map(lambda lane: [run_part(part) for part in lane], wanted), [])
    passed, failed, skipped = (sum(getattr(count, what) for count in counts)
                               for what in ('passed', 'failed', 'skipped'))
    print(f'# all parts: {skipped} skipped')
    print(f'{passed} passed, {failed} failed')
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
