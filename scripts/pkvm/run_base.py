#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Layer 4 of make test: run the base kernel's own KVM tests on a protected host.

A test that passes on a protected host with the base kernel has to pass. The others may fail or be
skipped, but must not crash or hang the host or cause a warning in its log. At the end EL2 has to
have returned all pages that it got for the tests.

tools/testing/selftests/kvm/arm64/base.list names the tests.
"""

import argparse
import dataclasses
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import counters  # noqa: E402
import cpus  # noqa: E402
import qemu  # noqa: E402
import run_selftests  # noqa: E402
import tree  # noqa: E402

LIST = 'tools/testing/selftests/kvm/arm64/base.list'
# Extra time in seconds for booting and for the teardown of large VMs.
SPARE = 120
MEMORY = 2048
# A test is killed after so many seconds where it need not pass: it may hang there.
SURVIVE_LIMIT = 20


@dataclasses.dataclass
class Base:
    """One line of the list; "on" has the CPUs on which the program has to pass."""
    program: str
    on: tuple
    limit: int
    arguments: list

    def limit_on(self, cpu):
        """How many seconds the test has on a CPU."""
        return self.limit if cpu in self.on else min(self.limit, SURVIVE_LIMIT)

    def job(self, cpu):
        """The job that runs the program on a CPU, for the init of the host."""
        return ' '.join([f'limit={self.limit_on(cpu)}', f'/base/{self.program}',
                         *self.arguments])

    @property
    def name(self):
        """The name in results."""
        return os.path.basename(self.program)


def parse(text):
    """Return the tests of a list; raise SelftestError if a line is malformed."""
    tests = []
    for number, line in enumerate(text.split('\n'), 1):
        words = line.partition('#')[0].split()
        if not words:
            continue
        verdict, _, cpu = words[1].partition(':') if len(words) > 2 else ('', '', '')
        if (verdict not in ('pass', 'survive') or not words[2].isdigit() or
                (cpu and (verdict != 'pass' or cpu not in cpus.CPUS))):
            raise run_selftests.SelftestError(f'{LIST}:{number}: this line is malformed')
        on = () if verdict == 'survive' else (cpu,) if cpu else tuple(cpus.CPUS)
        tests.append(Base(words[0], on, int(words[2]), words[3:]))
    if not tests:
        raise run_selftests.SelftestError(f'{LIST} names no program')
    return tests


def read_list():
    """Return the tests of base.list."""
    try:
        with open(os.path.join(qemu.TOP, LIST)) as file:
            return parse(file.read())
    except OSError as error:
        raise run_selftests.SelftestError(f'{LIST}: {error.strerror}') from None


def verdict(test, cpu, job):
    """Return why a test failed, or None, and a note about its result."""
    complaint = qemu.PANIC.search(job.output)
    last = (job.output.strip().split('\n') or [''])[-1].strip()
    if complaint:
        return f'the host printed: {complaint.group(0).strip()}', ''
    if job.status is None:
        return 'the host ended before the test did', ''
    if job.timed_out:
        note = f'killed after {test.limit_on(cpu)} s'
        return (note, '') if cpu in test.on else (None, note)
    note = f'status {job.status}: {last}' if job.status else ''
    return (note, '') if job.status and cpu in test.on else (None, note)


def leaked(job):
    """Return what the counters say that EL2 has not returned, or None."""
    try:
        gained = counters.gained('', job.output)
    except counters.Unbalanced as error:
        return str(error)
    if not gained['metadata_pages_donated']:
        return 'EL2 was given no page: it has not run any VM'
    return None


def report(name, problem, output, note=''):
    """Print one TAP line, and the end of the output if it is a failure."""
    print(f'{"not " if problem else ""}ok {name}' +
          (f' # {problem or note}' if problem or note else ''))
    if problem:
        for line in output.strip().split('\n')[-20:]:
            print(f'#   {line}')
    return not problem


def run_cpu(cpu, tests):
    """Run the tests on one CPU. Return whether all passed."""
    host = qemu.boot([*(test.job(cpu) for test in tests), counters.SHOW], cpu=cpu, smp=4,
                     kernel=run_selftests.TEST_IMAGE, mem=MEMORY,
                     log=os.path.join(qemu.BUILD, f'log/base-{cpu}.log'),
                     limit=sum(test.limit_on(cpu) for test in tests) + SPARE,
                     files={f'/base/{test.program}':
                            os.path.join(run_selftests.OUTPUT, test.program) for test in tests})
    good = True
    for test, job in zip(tests, host.jobs):
        problem, note = verdict(test, cpu, job)
        kind = 'pass' if cpu in test.on else 'survive'
        good = report(f'{cpu}.base.{kind}.{test.name}', problem, job.output, note) and good
    # A program that was killed at its time limit has a result of its own.
    others = [job for job in host.jobs if not job.timed_out]
    cause = qemu.find_cause(dataclasses.replace(host, jobs=others), False)
    good = report(f'{cpu}.base.host_lives', cause, host.console) and good
    return report(f'{cpu}.base.nothing_kept', leaked(host.jobs[-1]), host.jobs[-1].output) and good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cpus.add_option(parser)
    parser.add_argument('--jobs', default=str(os.cpu_count()))
    parser.add_argument('--build', action='store_true',
                        help='build these tests and those of run_selftests.py, but run none')
    parser.add_argument('test', nargs='*', help='run only these tests, named without directory')
    args = parser.parse_args()
    try:
        tests = [test for test in read_list() if not args.test or test.name in args.test]
        if not tests:
            raise run_selftests.SelftestError(f'{LIST} does not name {" ".join(args.test)}')
        names = {test.program for test in tests}
        if args.build:
            names.update(name for name, _ in run_selftests.programs())
        with tree.locked():
            run_selftests.build(sorted(names), args.jobs)
        if args.build:
            return 0
        good = True
        for cpu in [args.cpu] if args.cpu else cpus.WHOLE:
            good = run_cpu(cpu, tests) and good
            sys.stdout.flush()
    except (run_selftests.SelftestError, qemu.QemuError) as error:
        print('not ok base # ' + str(error).replace('\n', '\n#   '))
        return 1
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
