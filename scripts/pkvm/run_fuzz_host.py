#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Part of make test: a host that makes random hypercalls, on two CPUs at once.

The host is the one that tests run on, whose hypervisor checks itself, and the calls come from
the suite pkvm_el2_fuzz. On the first CPU model the machine has a secure world as well, so that
FF-A calls lead somewhere. make test makes only some calls; make fuzz-host N= makes any number.

If EL2 panics, or a page does not come back, the script repeats the round in which it
happened with some steps left out, for as long as it still happens, and prints the steps that
remain and the command that makes them. What two CPUs do at once may not happen again.
"""

import argparse
import dataclasses
import os
import re
import secrets
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cpus  # noqa: E402
import qemu  # noqa: E402
import run_modules  # noqa: E402
import tree  # noqa: E402

MODULE = 'pkvm_el2_kunit.ko'
SUITE = 'pkvm_el2_fuzz'
CALLS = re.compile(r'# random_host: (\d+) calls in all')
REGIONS = re.compile(r'# random_host: (\d+) regions went to the secure world')
WINDOWS = re.compile(r'# random_host: (\d+) pages and blocks went into windows')
ROUND = re.compile(r'# random_host: round (\d+), after (\d+) calls')
# The lines of the console that say what is wrong, the most telling ones first.
BAD = [re.compile(pattern, re.M) for pattern in (
    r'ghost: page [^\r\n]*', r'nVHE hyp BUG at: [^\r\n]*', r'HYP panic[^\r\n]*',
    r'# random_host: [A-Z]+ FAILED [^\r\n]*(?:\r?\n[^\r\n]*){2}', r'not ok \d+ random_host',
    r'Kernel panic [^\r\n]*')]
# Calls per second, fewer than on any machine tested, and seconds to boot.
PACE = 300
BOOT = 120


@dataclasses.dataclass
class Sequence:
    """What the host does: a seed, rounds of steps, and the steps that are made of each."""
    seed: int
    rounds: int
    steps: int = 1000
    first: int = 0
    cpus: int = 2
    only: list = None
    spoil: int = None

    def words(self):
        """Return the parameters of the module."""
        words = [f'fuzz_seed={self.seed}', f'fuzz_steps={self.steps}',
                 f'fuzz_rounds={self.rounds}', f'fuzz_first={self.first}',
                 f'fuzz_cpus={self.cpus}']
        if self.spoil is not None:
            words.append(f'fuzz_spoil={self.spoil}')
        if self.only is not None:
            words.append('fuzz_only=' + ','.join(f'{first}-{last}' for first, last in self.only))
        return words


@dataclasses.dataclass
class Outcome:
    """The result of a sequence: how many calls were made; if it failed, why and in which round.

    windows is how many pages and blocks the host shared in windows.
    """
    calls: int
    bad: str = None
    round: int = 0
    windows: int = 0


def run_sequence(cpu, secure, sequence):
    """Boot a host that carries out a sequence. Return the Outcome."""
    image, objects = run_modules.kernel(4)
    modules = {f'/{os.path.basename(path)}': path for path in (
        os.path.join(objects, 'lib/kunit/kunit.ko'),
        *run_modules.modules_of(objects, run_modules.SOURCE))
        if os.path.basename(path) in ('kunit.ko', MODULE)}
    limit = BOOT + sequence.steps * sequence.rounds * sequence.cpus // PACE
    host = qemu.boot([f'insmod /kunit.ko filter_glob={SUITE}',
                      f'limit={limit} insmod /{MODULE} '
                      f'"{" ".join(sequence.words())}"'],
                     cpu=cpu, verbose=True, mem=1024, kernel=image,
                     spmc=qemu.SPMC if secure else None, files=modules,
                     limit=limit + BOOT, log=os.path.join(qemu.BUILD, f'log/fuzz-host-{cpu}.log'))
    rounds, done = ROUND.findall(host.console), CALLS.search(host.console)
    bad = next((found.group(0) for found in (pattern.search(host.console) for pattern in BAD)
                if found), host.cause)
    if not rounds:
        return Outcome(0, bad or 'the suite did not run')
    if not done:
        return Outcome(int(rounds[-1][1]), bad or 'it ended early', int(rounds[-1][0]))
    if secure and not sequence.only and not bad and not int(REGIONS.search(host.console)[1]):
        bad = 'no memory went to the secure world'
    windows = int(WINDOWS.search(host.console)[1])
    if not windows and not sequence.only and not bad:
        bad = 'no memory went into windows'
    return Outcome(int(done[1]), bad, int(rounds[-1][0]), windows)


def calls_of(rounds):
    """Return how many calls rounds make at least: of ten steps, nine or more are calls."""
    return rounds * Sequence.steps * Sequence.cpus * 9 // 10


def without(ranges, start, end):
    """Return the ranges without the steps from start to end."""
    rest = []
    for first, last in ranges:
        if first < start:
            rest.append((first, min(last, start - 1)))
        if last > end:
            rest.append((max(first, end + 1), last))
    return rest


def shrink(run, sequence, outcome, tries):
    """Leave out steps, halves first, for as long as run() finds the rest bad.

    Return the shortest sequence that was, or None if the round alone is not bad.
    """
    best = dataclasses.replace(sequence, first=outcome.round, rounds=1,
                               only=[(0, sequence.steps - 1)])
    if not run(best).bad:
        return None
    size = sequence.steps // 2
    while size and tries > 0:
        for start in range(0, sequence.steps, size):
            only = without(best.only, start, start + size - 1)
            if not only or only == best.only or tries <= 0:
                continue
            tries -= 1
            shorter = dataclasses.replace(best, only=only)
            if run(shorter).bad:
                best = shorter
        size //= 2
    return best


def tell(cpu, secure, sequence, tries):
    """Run a sequence, print the result as TAP, and shrink it if it is bad."""
    label = f'{cpu}{"-secure" if secure else ""}.random_host'
    print(f'# {label}: {" ".join(sequence.words())}', flush=True)
    outcome = run_sequence(cpu, secure, sequence)
    if not outcome.bad:
        print(f'# {label}: {outcome.calls} calls, {outcome.windows} windows')
        print(f'ok {label}', flush=True)
        return True
    print(f'not ok {label} # round {outcome.round}, after {outcome.calls} calls')
    print(*(f'#   {line}' for line in outcome.bad.splitlines()), sep='\n', flush=True)
    if tries:
        best = shrink(lambda shorter: run_sequence(cpu, secure, shorter), sequence, outcome, tries)
        if best:
            count = sum(last - first + 1 for first, last in best.only)
            print(f'# {count} steps are enough: insmod {MODULE} '
                  f'{" ".join(best.words())}')
        else:
            print('# the round alone does not do it again')
    print(f'# to repeat: scripts/pkvm/run_fuzz_host.py --cpu {cpu} --seed {sequence.seed} '
          f'--calls {calls_of(sequence.rounds)}')
    return False


def tell_spoiled(cpu, seed):
    """Check that the ghost finds a page with a wrong state, and that both sides are printed."""
    label = f'{cpu}.ghost_finds_a_spoiled_page'
    outcome = run_sequence(cpu, False, Sequence(seed, 1, spoil=100))
    good = outcome.bad is not None and outcome.bad.startswith('ghost: page 0x')
    print(f'# {label}: {outcome.bad}')
    print(f'{"" if good else "not "}ok {label}', flush=True)
    return good


def build(jobs):
    """Build the host and its modules."""
    with tree.locked():
        run_modules.build(4, jobs)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cpus.add_option(parser)
    parser.add_argument('--seed', type=lambda text: int(text, 0), help='default: a random seed')
    parser.add_argument('--calls', type=int, default=100000,
                        help='number of calls, on all CPU models together')
    parser.add_argument('--tries', type=int, default=30,
                        help='runs to make a sequence shorter that went wrong')
    parser.add_argument('--jobs', default=str(os.cpu_count()))
    args = parser.parse_args()
    seed = secrets.randbits(32) | 1 if args.seed is None else args.seed
    names = [args.cpu] if args.cpu else cpus.WHOLE
    rounds = -(-args.calls // (len(names) * calls_of(1)))
    try:
        build(args.jobs)
        good = [tell_spoiled(names[0], seed)]
        good += [tell(name, name == cpus.WHOLE[0], Sequence(seed, rounds), args.tries)
                 for name in names]
    except qemu.QemuError as error:
        print(f'not ok fuzz-host # {error}')
        return 1
    return 0 if all(good) else 1


if __name__ == '__main__':
    sys.exit(main())
