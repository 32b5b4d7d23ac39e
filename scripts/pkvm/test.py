#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""make test: every layer of tests, one count, one verdict.

Each part is a command that reports its results as TAP. A part counts as failed
once more if it ends badly without a failed result, if it reports no result at
all, or if it reported another number of results than it planned: what crashed must
not look like what passed. All is built first, and what does not build ends the run. Two
lanes of parts run at a time, and each reports its results as they come. What each part took
follows, and the last line is "N passed, N failed".

With --long, what is long by nature takes its full size: fuzzing for minutes, VMMs that are
killed by the hundred.
"""

import argparse
import concurrent.futures
import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cpus  # noqa: E402
import tap  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPTS = 'scripts/pkvm'

INTERRUPTED = 130
# Seconds in which an interrupted process may clean up.
GRACE = 10
TELLING = threading.Lock()


@dataclasses.dataclass(frozen=True)
class Part:
    """A command that reports results, and how many seconds it may take beside another lane."""
    layer: str
    name: str
    command: list
    limit: int


@dataclasses.dataclass(frozen=True)
class Done:
    """What became of a part, and how many seconds it took: of the processors, and in all."""
    name: str
    cpu: float
    wall: float
    count: tap.Count

    def times(self):
        """What it took, for people."""
        return f'{self.cpu:.0f} s of CPU in {self.wall:.0f} s'


class Stopped(Exception):
    """Somebody has interrupted us."""


def lanes(jobs, long=False):
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

    def sized(small, full):
        return str(full if long else small)

    def of_cpu(cpu):
        return [
            Part('4 selftests', f'selftests {cpu}',
                 script('run_selftests', '--cpu', cpu, '--jobs', jobs), 2400),
            Part('4 selftests', f'base {cpu}',
                 script('run_base', '--cpu', cpu, '--jobs', jobs), 1800),
            Part('5 end to end', f'system {cpu}',
                 script('run_system', '--cpu', cpu, '--kills', sized(60, 100)), 2400),
            Part('5 end to end', f'stress {cpu}',
                 script('run_stress', '--cpu', cpu, '--jobs', jobs), 600),
            Part('5 end to end', f'starts {cpu}',
                 script('run_starts', '--cpu', cpu, '--jobs', jobs), 600),
            Part('5 end to end', f'fuzz-guest {cpu}',
                 script('run_fuzz_guest', '--cpu', cpu, '--calls', sized(20000, 100000),
                        '--jobs', jobs), 900),
        ]

    def programs(cpu):
        return [
            Part('5 end to end', f'firmware {cpu}', ['tools/pvmfw/tests/boot.py', '--cpu', cpu],
                 1200),
            Part('5 end to end', f'vmm {cpu}', make('vmm', 'vmtest', f'CPU={cpu}'), 1200),
        ]

    first, second = cpus.WHOLE
    return [
        [Part('2 and 3 kunit', 'modules', script('run_modules', '--jobs', jobs), 1200),
         Part('2 and 3 kunit', 'modules 16k',
              script('run_modules', '--granule', '16', '--jobs', jobs), 1200),
         Part('2 and 3 kunit', 'kunit 64k',
              script('run_kunit', '--granule', '64', '--jobs', jobs), 1200),
         *of_cpu(first)],
        [Part('1 native', 'checks', script('check', '--style', '--jobs', jobs), 1800),
         Part('1 native', 'pvmfw', make('pvmfw', 'test'), 900),
         Part('1 native', 'fuzz', ['tools/pvmfw/fuzz/fuzz.py', '--seconds', sized(10, 60),
                                   '--jobs', jobs], 900),
         Part('1 native', 'vmm', make('vmm', 'test'), 900),
         Part('1 native', 'bench', ['tools/testing/bench/test_bench.py'], 300),
         Part('1 native', 'infra', ['tools/testing/infra/infra.py'], 2400),
         *programs(first), *programs(second), *of_cpu(second),
         Part('5 end to end', 'cpus', script('run_cpus', '--jobs', jobs), 1500),
         Part('4 selftests', 'debug', script('run_selftests', '--debug', '--jobs', jobs), 2400)],
    ]


def tell(*lines):
    """Print lines that stand together, whatever another lane prints."""
    with TELLING:
        print(*lines, sep='\n', flush=True)


class Running:
    """What runs now, so that an interrupt of us is one of all of it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.processes = set()
        self.stopped = False

    @contextlib.contextmanager
    def start(self, command, **more):
        """A process with a group of its own, which stop() reaches."""
        with self.lock:
            if self.stopped:
                raise Stopped
            process = subprocess.Popen(command, cwd=TOP, stdin=subprocess.DEVNULL, text=True,
                                       errors='replace', process_group=0, **more)
            self.processes.add(process)
        try:
            yield process
        except BaseException:
            self.stop()
            process.wait()
            raise
        finally:
            with self.lock:
                self.processes.remove(process)

    def send(self, number):
        """Send a signal to all of it."""
        with self.lock:
            for process in self.processes:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, number)

    def stop(self):
        """Interrupt all of it, kill what does not listen, and start nothing any more."""
        with self.lock:
            stopped, self.stopped = self.stopped, True
        if not stopped:
            self.send(signal.SIGINT)
            killer = threading.Timer(GRACE, self.send, [signal.SIGKILL])
            killer.daemon = True
            killer.start()


RUNNING = Running()


def wait(process):
    """Wait for a process: (status, the processors' seconds that it and its children took)."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, used.ru_utime + used.ru_stime


def run_part(part):
    """Run one part, echo its results; its Done."""
    count = tap.Count()
    start = time.monotonic()
    log = os.path.join(TOP, 'build/log', f'test-{part.name.replace(" ", "-")}.log')
    command = ['timeout', '--kill-after=10', str(part.limit), *part.command]
    with open(log, 'w') as output, \
            RUNNING.start(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        with process.stdout:
            for line in process.stdout:
                output.write(line)
                line = line.rstrip('\n')
                if count.line(line) or line.startswith('#'):
                    tell(line)
        status, used = wait(process)
    if RUNNING.stopped:
        raise Stopped
    if status == 124:
        count.broken.append(f'it did not end within {part.limit} s')
    count.end(status)
    reasons = [f'not ok {part.name} # {reason}' for reason in count.broken]
    if reasons:
        with open(log) as output:
            reasons += [f'#   {line}' for line in output.read().splitlines()[-20:]]
    done = Done(part.name, used, time.monotonic() - start, count)
    tell(*reasons, f'# layer {part.layer}: {part.name}: {count.passed} passed, '
                   f'{count.failed} failed, {count.skipped} skipped, {done.times()}')
    return done


def build(jobs):
    """Build all that the parts want; its Done, with a failure if that cannot be."""
    start = time.monotonic()
    with RUNNING.start(['make', '--no-print-directory', 'test-builds', f'JOBS={jobs}']) as process:
        status, used = wait(process)
    count = tap.Count()
    if status:
        tell(f'not ok builds # make test-builds ended with status {status}')
        count.failed = 1
    return Done('builds', used, time.monotonic() - start, count)


def run_lane(lane):
    """Run the parts of a lane; what became of them."""
    done = []
    with contextlib.suppress(Stopped):
        for part in lane:
            done.append(run_part(part))
    return done


def run_all(wanted):
    """Run all lanes at a time; what became of their parts."""
    with concurrent.futures.ThreadPoolExecutor(len(wanted)) as pool:
        try:
            return sum(pool.map(run_lane, wanted), [])
        finally:
            RUNNING.stop()


def verdict(done):
    """Tell what all parts took and came to; the status."""
    print('# seconds of CPU, and in all:')
    for part in sorted(done, key=lambda part: -part.cpu):
        print(f'# {part.cpu:8.0f} {part.wall:8.0f}  {part.name}')
    print(f'# {sum(part.cpu for part in done):8.0f}           all of it')
    passed, failed, skipped = (sum(getattr(part.count, what) for part in done)
                               for what in ('passed', 'failed', 'skipped'))
    print(f'# all parts: {skipped} skipped')
    print(f'{passed} passed, {failed} failed')
    return 1 if failed or not passed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--jobs', default=str(os.cpu_count()))
    parser.add_argument('--long', action='store_true', help='the full size of what is long')
    parser.add_argument('part', nargs='*', help='only these parts')
    args = parser.parse_args()
    wanted = lanes(args.jobs, args.long)
    for name in set(args.part) - {part.name for lane in wanted for part in lane}:
        parser.error(f'there is no part "{name}"')
    if args.part:
        wanted = [[part for part in lane if part.name in args.part] for lane in wanted]
    os.makedirs(os.path.join(TOP, 'build/log'), exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        # A part alone builds what it needs.
        done = [] if args.part else [build(args.jobs)]
        if not any(part.count.failed for part in done):
            done += run_all(wanted)
    except KeyboardInterrupt:
        RUNNING.stop()
        print('test.py: error: interrupted', file=sys.stderr)
        return INTERRUPTED
    return verdict(done)


if __name__ == '__main__':
    sys.exit(main())
