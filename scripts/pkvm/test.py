#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""make test: run all tests, and print how many passed and failed.

Each part is a command that reports its results as TAP. A part counts as one more failure if it
exits with an error but without a failed result, if it reports no result, or if it reports another
number of results than it planned, so that a part that crashes is not taken for one that passed.

The script builds everything first, and stops if that fails. Then it runs two parts at a time, the
longest first, and prints their results as they come, then the time of each part. The last line is
"N passed, N failed".

With --long, fuzzing takes minutes, more VMMs are killed, and windows come and go more often.
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
# How many parts run at a time: QEMU mostly keeps one processor busy.
WORKERS = 2
# The time in seconds that an interrupted process has to clean up, before it is terminated and
# before it is killed. A process that misses SIGINT, as bash can while it starts, gets SIGTERM.
TERMINATE, KILL = 5, 10
# How often in seconds the main thread looks for an interrupt.
WAKE = 0.5
TELLING = threading.Lock()


@dataclasses.dataclass(frozen=True)
class Part:
    """A command that reports results.

    takes is its approximate time in seconds beside another part: the longest part starts first.
    limit is its time limit in seconds. writes names a directory below build/ that it writes
    without holding the build lock: no two parts that write to the same directory run together.
    """
    layer: str
    name: str
    command: list
    takes: int
    limit: int
    writes: str = None


@dataclasses.dataclass(frozen=True)
class Done:
    """The results of a part, its CPU time and elapsed time in seconds, and what has failed."""
    name: str
    cpu: float
    wall: float
    count: tap.Count
    failures: tuple = ()

    def times(self):
        """Return a text about the times."""
        return f'{self.cpu:.0f} s of CPU in {self.wall:.0f} s'


class Stopped(Exception):
    """The run was interrupted."""


def parts(jobs, long=False):
    """Return all parts, in the order of their layers."""
    linux = f'KSRC={TOP}/build/linux'

    def make(program, goal, *more):
        return ['make', '-C', f'tools/{program}', linux, f'O={TOP}/build/{program}-obj', goal,
                *more]

    def script(name, *more):
        return [f'{SCRIPTS}/{name}.py', *more]

    def sized(small, full):
        return str(full if long else small)

    vms = ['--vms', sized(60, 100)]

    def of_cpu(cpu):
        return [
            Part('4 selftests', f'selftests {cpu}',
                 script('run_selftests', '--cpu', cpu, *vms, '--rounds', sized(20, 10000),
                        '--jobs', jobs), 340, 14400 if long else 2400),
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
        Part('2 and 3 kunit', 'fuzz-host',
             script('run_fuzz_host', '--calls', sized(100000, 1000000), '--jobs', jobs), 60, 1200),
        Part('2 and 3 kunit', 'modules 16k',
             script('run_modules', '--granule', '16', '--jobs', jobs), 25, 1200),
        Part('2 and 3 kunit', 'kunit 64k',
             script('run_kunit', '--granule', '64', '--jobs', jobs), 60, 1200),
        *(part for cpu in cpus.WHOLE for part in of_cpu(cpu)),
        Part('5 end to end', 'cpus', script('run_cpus', *vms, '--jobs', jobs), 450, 1500),
        Part('4 selftests', 'debug', script('run_selftests', '--debug', '--jobs', jobs), 180, 2400),
    ]


class Queue:
    """Parts that have not started yet, the longest first."""

    def __init__(self, waiting):
        self.waiting = sorted(waiting, key=lambda part: -part.takes)
        # The directories that running parts write to.
        self.written = set()
        self.changed = threading.Condition()

    def next(self):
        """Return the longest part that may start now, or None when all have started.

        Waits while each remaining part writes to the directory of a running one.
        """
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
        """Record that a part which next() returned has ended."""
        with self.changed:
            self.written.discard(part.writes)
            self.changed.notify_all()


def tell(*lines):
    """Print lines together, so that no other part prints between them."""
    with TELLING:
        print(*lines, sep='\n', flush=True)


class Running:
    """The running processes, which are interrupted when this script is."""

    def __init__(self):
        self.lock = threading.Lock()
        self.processes = set()
        self.stopped = False

    @contextlib.contextmanager
    def start(self, command, **more):
        """Start a process in a process group of its own, so that stop() can signal the group."""
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
        """Send a signal to all running process groups."""
        with self.lock:
            for process in self.processes:
                signal_group(process, number)

    def stop(self):
        """Interrupt all processes, kill them later if necessary, and start no new ones."""
        with self.lock:
            stopped, self.stopped = self.stopped, True
        if not stopped:
            self.send(signal.SIGINT)
            for seconds, number in (TERMINATE, signal.SIGTERM), (KILL, signal.SIGKILL):
                start_timer(seconds, self.send, number)


RUNNING = Running()


def signal_group(process, number):
    """Send a signal to the process group of a process, if it still exists."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def start_timer(seconds, function, *arguments):
    """Call a function later, unless this script ends before or cancels the timer."""
    timer = threading.Timer(seconds, function, arguments)
    timer.daemon = True
    timer.start()
    return timer


class TimeLimit:
    """Ends the process group of a part at its time limit. "reached" says whether it did."""

    def __init__(self, process, seconds):
        self.process = process
        self.reached = False
        self.timers = [start_timer(seconds, self.end, signal.SIGTERM),
                       start_timer(seconds + KILL, self.end, signal.SIGKILL)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for timer in self.timers:
            timer.cancel()

    def end(self, number):
        """Send a signal to the process group."""
        self.reached = True
        signal_group(self.process, number)


def wait(process):
    """Wait for a process. Return its status and the CPU time of it and its children."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, used.ru_utime + used.ru_stime


def run_part(part):
    """Run one part and print its results. Return its Done."""
    count = tap.Count()
    failures = []
    start = time.monotonic()
    log = os.path.join(TOP, 'build/log', f'test-{part.name.replace(" ", "-")}.log')
    status, used = 0, 0
    try:
        with open(log, 'w') as output, \
                RUNNING.start(part.command, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT) as process, \
                TimeLimit(process, part.limit) as limit:
            with process.stdout:
                for line in process.stdout:
                    output.write(line)
                    line = line.rstrip('\n')
                    found = count.line(line)
                    if found or line.startswith('#'):
                        tell(line)
                    if found and found.failed:
                        failures.append(found.name)
            status, used = wait(process)
        if limit.reached:
            count.broken.append(f'it did not end within {part.limit} s')
    except OSError as error:
        count.broken.append(f'it could not be run: {error}')
    # An interrupt from the terminal can reach a part before this script notices it.
    if status == -signal.SIGINT:
        RUNNING.stop()
    if RUNNING.stopped:
        raise Stopped
    count.end(status)
    reasons = [f'not ok {part.name} # {reason}' for reason in count.broken]
    if reasons:
        with open(log) as output:
            reasons += [f'#   {line}' for line in output.read().splitlines()[-20:]]
    failures += count.broken
    done = Done(part.name, used, time.monotonic() - start, count, tuple(failures))
    tell(*reasons, f'# layer {part.layer}: {part.name}: {count.passed} passed, '
                   f'{count.failed} failed, {count.skipped} skipped, {done.times()}')
    return done


def build(jobs):
    """Build everything that the parts need. Return a Done, with a failure if that fails."""
    start = time.monotonic()
    with RUNNING.start(['make', '--no-print-directory', 'test-builds', f'JOBS={jobs}']) as process:
        status, used = wait(process)
    count = tap.Count()
    if status:
        tell(f'not ok builds # make test-builds ended with status {status}')
        count.failed = 1
    return Done('builds', used, time.monotonic() - start, count)


def work(queue):
    """Run parts of a queue until none is left. Return their Dones."""
    done = []
    with contextlib.suppress(Stopped):
        while part := queue.next():
            try:
                done.append(run_part(part))
            finally:
                queue.end(part)
    return done


def run_all(wanted):
    """Run all parts, WORKERS at a time. Return their Dones."""
    queue = Queue(wanted)
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        try:
            workers = [pool.submit(work, queue) for _ in range(WORKERS)]
            # A signal that arrives just before this thread blocks does not wake it.
            while concurrent.futures.wait(workers, timeout=WAKE).not_done:
                pass
            done = sum((worker.result() for worker in workers), [])
        except BaseException:
            RUNNING.stop()
            raise
    if RUNNING.stopped:
        raise KeyboardInterrupt
    return done


def verdict(done):
    """Print the times, what has failed and the total of results. Return the exit status."""
    print('# seconds of CPU time, and elapsed:')
    for part in sorted(done, key=lambda part: -part.cpu):
        print(f'# {part.cpu:8.0f} {part.wall:8.0f}  {part.name}')
    print(f'# {sum(part.cpu for part in done):8.0f}           all parts')
    for part in done:
        for failure in part.failures:
            print(f'# failed: {part.name}: {failure}')
    passed, failed, skipped = (sum(getattr(part.count, what) for part in done)
                               for what in ('passed', 'failed', 'skipped'))
    print(f'# all parts: {skipped} skipped')
    print(f'{passed} passed, {failed} failed')
    return 1 if failed or not passed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--jobs', default=str(os.cpu_count()))
    parser.add_argument('--long', action='store_true', help='more fuzzing and more killed VMMs')
    parser.add_argument('part', nargs='*', help='run only these parts')
    args = parser.parse_args()
    wanted = parts(args.jobs, args.long)
    for name in set(args.part) - {part.name for part in wanted}:
        parser.error(f'there is no part "{name}"')
    if args.part:
        wanted = [part for part in wanted if part.name in args.part]
    os.makedirs(os.path.join(TOP, 'build/log'), exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        # If only some parts are wanted, each builds what it needs itself.
        done = [] if args.part else [build(args.jobs)]
        if done:
            os.environ['PKVM_TESTS_BUILT'] = '1'
        if not any(part.count.failed for part in done):
            done += run_all(wanted)
    except KeyboardInterrupt:
        RUNNING.stop()
        print('test.py: error: interrupted', file=sys.stderr)
        return INTERRUPTED
    return verdict(done)


if __name__ == '__main__':
    sys.exit(main())
