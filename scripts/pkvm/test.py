#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""make test: every layer of tests, one count, one verdict.

Each part is a command that reports its results as TAP. A part counts as failed
once more if it ends badly without a failed result, if it reports no result at
all, or if it reported another number of results than it planned: what crashed must
not look like what passed. All is built first, and what does not build ends the run. Then two
parts run at a time, the longest first, and each reports its results as they come. What each
part took follows, and the last line is "N passed, N failed".

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
# QEMU keeps one processor busy most of the time and hardly ever two.
WORKERS = 2
# Seconds in which an interrupted process may clean up.
GRACE = 10
TELLING = threading.Lock()


@dataclasses.dataclass(frozen=True)
class Part:
    """A command that reports results.

    takes is how many seconds it takes beside another part, about: the longest starts first.
    limit is how many it may take. writes names what it writes below build/ without the build's
    lock: no other part that writes there runs meanwhile.
    """
    layer: str
    name: str
    command: list
    takes: int
    limit: int
    writes: str = None


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


def parts(jobs, long=False):
    """All parts, in the order of their layers."""
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
                 script('run_selftests', '--cpu', cpu, '--jobs', jobs), 300, 2400),
            Part('4 selftests', f'base {cpu}',
                 script('run_base', '--cpu', cpu, '--jobs', jobs), 300, 1800),
            Part('5 end to end', f'firmware {cpu}', ['tools/pvmfw/tests/boot.py', '--cpu', cpu],
                 25, 1200, 'pvmfw-obj'),
            Part('5 end to end', f'vmm {cpu}', make('vmm', 'vmtest', f'CPU={cpu}'), 30, 1200,
                 'vmm-obj'),
            Part('5 end to end', f'system {cpu}',
                 script('run_system', '--cpu', cpu, '--kills', sized(60, 100)), 380, 2400),
            Part('5 end to end', f'stress {cpu}',
                 script('run_stress', '--cpu', cpu, '--jobs', jobs), 40, 600),
            Part('5 end to end', f'starts {cpu}',
                 script('run_starts', '--cpu', cpu, '--jobs', jobs), 40, 600),
            Part('5 end to end', f'fuzz-guest {cpu}',
                 script('run_fuzz_guest', '--cpu', cpu, '--calls', sized(20000, 100000),
                        '--jobs', jobs), 15, 900),
        ]

    return [
        Part('1 native', 'checks', script('check', '--style', '--jobs', jobs), 240, 1800,
             'series'),
        Part('1 native', 'pvmfw', make('pvmfw', 'test'), 30, 900, 'pvmfw-obj'),
        Part('1 native', 'fuzz', ['tools/pvmfw/fuzz/fuzz.py', '--seconds', sized(10, 60),
                                  '--jobs', jobs], 40, 900, 'pvmfw-obj'),
        Part('1 native', 'vmm', make('vmm', 'test'), 10, 900, 'vmm-obj'),
        Part('1 native', 'bench', ['tools/testing/bench/test_bench.py'], 1, 300),
        Part('1 native', 'infra', ['tools/testing/infra/infra.py'], 260, 2400, 'series'),
        Part('2 and 3 kunit', 'modules', script('run_modules', '--jobs', jobs), 110, 1200),
        Part('2 and 3 kunit', 'modules 16k',
             script('run_modules', '--granule', '16', '--jobs', jobs), 25, 1200),
        Part('2 and 3 kunit', 'kunit 64k',
             script('run_kunit', '--granule', '64', '--jobs', jobs), 60, 1200),
        *(part for cpu in cpus.WHOLE for part in of_cpu(cpu)),
        Part('5 end to end', 'cpus', script('run_cpus', '--jobs', jobs), 450, 1500),
        Part('4 selftests', 'debug', script('run_selftests', '--debug', '--jobs', jobs), 180, 2400),
    ]


class Queue:
    """Parts that wait for a worker, the longest first."""

    def __init__(self, waiting):
        self.waiting = sorted(waiting, key=lambda part: -part.takes)
        # What the parts that run now write.
        self.written = set()
        self.changed = threading.Condition()

    def next(self):
        """The longest part that may run beside those that run, None when all have started."""
        with self.changed:
            while self.waiting:
                for part in self.waiting:
                    if part.writes not in self.written:
                        self.waiting.remove(part)
                        if part.writes:
                            self.written.add(part.writes)
                        return part
                self.changed.wait()
        return None

    def end(self, part):
        """A part that next() gave has ended: what it wrote is free again."""
        with self.changed:
            self.written.discard(part.writes)
            self.changed.notify_all()


def tell(*lines):
    """Print lines that stand together, whatever another part prints."""
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


def work(queue):
    """Run parts of a queue until none is left; what became of them."""
    done = []
    with contextlib.suppress(Stopped):
        while part := queue.next():
            try:
                done.append(run_part(part))
            finally:
                queue.end(part)
    return done


def run_all(wanted):
    """Run all parts, as many at a time as there are workers; what became of them."""
    queue = Queue(wanted)
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        try:
            return sum(pool.map(work, [queue] * WORKERS), [])
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
    wanted = parts(args.jobs, args.long)
    for name in set(args.part) - {part.name for part in wanted}:
        parser.error(f'there is no part "{name}"')
    if args.part:
        wanted = [part for part in wanted if part.name in args.part]
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
