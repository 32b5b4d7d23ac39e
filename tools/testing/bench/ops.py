# SPDX-License-Identifier: GPL-2.0-only
"""The operations that cost more than an instruction, counted in EL2.

The ruler of make bench takes a TLB invalidation for one instruction. So QEMU,
made to log each instruction that it executes at given addresses, is asked for
EL2's TLB and cache maintenance and barriers and for the guest's stopwatches:
what is logged between the two reads of a stopwatch belongs to what it timed.

EL2 runs with interrupts off. So all of its instructions are logged, and those
from one return to EL1 to the next are counted as one stay; the longest since
the first guest was entered is told, with the host's call that it served.
"""

import argparse
import collections
import os
import re
import subprocess
import tempfile
import threading

import console
import qemu
import table

TOOLS = 'aarch64-linux-gnu-'
# What is counted, by mnemonic. Caches are maintained line by line.
KINDS = table.OPERATIONS
INSTRUCTION = re.compile(r'^ *([0-9a-f]+):\t(\S+)(?:\t(.*))?$', re.M)
TRACE = re.compile(rb'^Trace \d+: \S+ \[[0-9a-f]+/([0-9a-f]+)/')
# The functions of EL2 that serve the host's calls.
HANDLER = re.compile(r'^([0-9a-f]+) \w __kvm_nvhe_handle_(__\w+)$', re.M)
# Linux, arch/arm64/kvm/va_layout.c, without RANDOMIZE_BASE: EL2 sees memory from
# its start on at bit 47. QEMU loads the kernel 2 MiB behind the start.
EL2_VA = 1 << 47
KERNEL_OFFSET = 2 << 20


def output(*command):
    """What a program of the tool chain prints."""
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise table.BenchError(f'{command[0]}: {error}') from None


def symbols(path, *names):
    """The addresses of these symbols of an ELF file."""
    found = {}
    for line in output(f'{TOOLS}nm', path).splitlines():
        address, _, name = (line.split() + [''] * 2)[:3]
        if name in names:
            found[name] = int(address, 16)
    for name in names:
        if name not in found:
            raise table.BenchError(f'{path} has no {name}')
    return [found[name] for name in names]


def el2_places(vmlinux):
    """Where EL2 has what we count: address at EL2 to column."""
    text, start, end, enter = symbols(vmlinux, '_text', '__hyp_text_start', '__hyp_text_end',
                                      '__kvm_nvhe___guest_enter')
    shift = EL2_VA + KERNEL_OFFSET - text
    code = output(f'{TOOLS}objdump', '-d', '--no-show-raw-insn',
                  f'--start-address={start:#x}', f'--stop-address={end:#x}', vmlinux)
    # DC ZVA maintains no cache, it stores zeroes.
    places = {int(address, 16) + shift: name
              for address, name, operands in INSTRUCTION.findall(code)
              if name in KINDS and not operands.startswith('zva')}
    # Each run of a vCPU goes by here: if it is never seen, the shift is wrong.
    places[enter + shift] = 'enter'
    return places


class Stays:
    """How long EL2 kept a CPU, in instructions, and for what."""

    def __init__(self, first, last, returns, handlers):
        self.first, self.last = first, last
        self.returns, self.handlers = returns, handlers
        self.counting = False
        self.length, self.what = 0, None
        # Per call of the host, its longest stay; None is what was no call.
        self.longest = {}

    def see(self, address):
        """One instruction of EL2."""
        self.length += 1
        if address in self.handlers:
            self.what = self.handlers[address]
        if address in self.returns:
            if self.counting and self.length > self.longest.get(self.what, 0):
                self.longest[self.what] = self.length
            self.length, self.what = 0, None

    def worst(self):
        """(instructions, call) of the longest."""
        if not self.longest:
            raise table.BenchError('EL2 was never seen to return')
        return max((length, what or 'no call of the host') for what, length in
                   self.longest.items())


def el2_stays(vmlinux):
    """What Stays has to know of a kernel."""
    text, start, end = symbols(vmlinux, '_text', '__hyp_text_start', '__hyp_text_end')
    shift = EL2_VA + KERNEL_OFFSET - text
    code = output(f'{TOOLS}objdump', '-d', '--no-show-raw-insn',
                  f'--start-address={start:#x}', f'--stop-address={end:#x}', vmlinux)
    returns = {int(address, 16) + shift
               for address, name, _ in INSTRUCTION.findall(code) if name == 'eret'}
    handlers = {int(address, 16) + shift: name
                for address, name in HANDLER.findall(output(f'{TOOLS}nm', vmlinux))}
    if not returns or not handlers:
        raise table.BenchError(f'{vmlinux}: no return from EL2, or no call of the host is found')
    return Stays(start + shift, end + shift, returns, handlers)


def guest_places(guest):
    """The stopwatches of the guest, where it begins and where a benchmark ends."""
    begin, ends = symbols(guest, '_start', 'bench_ends')
    places = {begin: 'begin', ends: 'ends'}
    code = output(f'{TOOLS}objdump', '-d', '--no-show-raw-insn', guest)
    for address, name, operands in INSTRUCTION.findall(code):
        if name == 'mrs' and operands.endswith('cntvct_el0'):
            places[int(address, 16)] = 'start' if operands.startswith('x10') else 'stop'
    return places


class Counter:
    """Reads a log and sorts what it names by benchmark, in the order of the log.

    An instruction may be logged, be interrupted before it is executed, and be
    logged again: what marks a place is taken once.
    """

    def __init__(self, places, stays):
        self.places = places
        self.stays = stays
        # Per benchmark a list of Counters, one for each reading of a stopwatch.
        self.benchmarks = []
        self.readings = []
        # What came behind the last start of a stopwatch, and the part of it up to
        # the first entry of a guest after that.
        self.open = self.left = None
        # For each guest, what came between its last call and the next guest.
        self.ends = []

    def see(self, address):
        """One instruction of the log."""
        if self.stays.first <= address < self.stays.last:
            self.stays.see(address)
        kind = self.places.get(address)
        if kind == 'enter':
            self.stays.counting = True
        if kind == 'begin':
            self.close()
        elif kind == 'start':
            self.open, self.left = collections.Counter(), None
        elif kind == 'stop' and self.open is not None:
            self.readings.append(self.open)
            self.open = None
        elif kind == 'ends' and self.readings:
            self.benchmarks.append(self.readings)
            self.readings = []
        elif kind and self.open is not None:
            if kind == 'enter' and self.left is None:
                self.left = self.open.copy()
            self.open[kind] += 1

    def close(self):
        """A guest has ended in the call that its stopwatch still times."""
        if self.open is not None:
            self.ends.append(self.open if self.left is None else self.left)
        self.open = None
        self.readings = []

    def read(self, log):
        """A whole log, as lines of bytes."""
        for line in log:
            found = TRACE.match(line)
            if found:
                self.see(int(found.group(1), 16))
        self.close()


def mean(readings, number):
    """Per kind, how often it came in these readings for one of so many things."""
    total = sum(readings, collections.Counter())
    return {kind: total[kind] / number for kind in KINDS}


def last(readings, samples):
    """The last readings: those before them belong to what is not timed."""
    if len(readings) < samples:
        raise table.BenchError(f'{len(readings)} readings of a stopwatch were logged, '
                               f'{samples} were reported')
    return readings[-samples:]


def assign(counter, guests):
    """Per guest, given as {benchmark: samples}, its benchmarks' means."""
    reported = sum(len(guest) for guest in guests)
    if len(counter.benchmarks) != reported or len(counter.ends) != len(guests):
        raise table.BenchError(f'{len(counter.benchmarks)} benchmarks and {len(counter.ends)} '
                               f'ends were logged, {reported} and {len(guests)} were reported')
    logged = iter(counter.benchmarks)
    found = [{name: mean(last(next(logged), samples), samples)
              for name, samples in guest.items()} for guest in guests]
    if not any(reading['enter'] for readings in counter.benchmarks for reading in readings):
        raise table.BenchError('EL2 was not seen where its code should be')
    return found


def one_by_one():
    """The option that makes each instruction a block of its own, as the log needs it."""
    return ['-accel', 'tcg,one-insn-per-tb=on']


def trace(jobs, files, places, stays, append, limit):
    """Run jobs in a host under QEMU's log: (Jobs, Counter)."""
    options = argparse.Namespace(
        cpu='a57', smp=1, mem=1024, mode='protected', append=append, drive=(), icount=True,
        verbose=False, kernel=os.path.join(qemu.BUILD, 'Image'))
    counter = Counter(places, stays)
    reader, writer = os.pipe()
    with tempfile.TemporaryDirectory(prefix='run.', dir=qemu.BUILD) as scratch, \
            open(reader, 'rb') as log:
        initrd = qemu.make_initrd(scratch, os.path.join(qemu.BUILD, 'initramfs.cpio.gz'),
                                  jobs, files)
        command = qemu.command_line(options, initrd) + one_by_one() + [
            '-d', 'exec,nochain', '-D', f'/proc/{os.getpid()}/fd/{writer}',
            '-dfilter', ','.join([f'{stays.first:#x}..{stays.last - 1:#x}',
                                  *(f'{place:#x}+3' for place in sorted(places)
                                    if not stays.first <= place < stays.last)])]
        thread = threading.Thread(target=counter.read, args=(log,))
        try:
            with console.Console(command, limit) as machine:
                thread.start()
                cause = machine.follow()
        finally:
            os.close(writer)
        thread.join()
    run = qemu.Run(qemu.parse_jobs(jobs, machine.text()), machine.text(), 0, cause)
    return check_run(run, 'traced host', None).jobs, counter


def check_run(run, name, log):
    """A Run whose jobs all did well; log is where its console has been written, if it was."""
    cause = run.cause or qemu.find_cause(run, False)
    failed = [job for job in run.jobs if job.status]
    if failed and not cause:
        cause = f'"{failed[0].line}" ended with status {failed[0].status}'
    if cause:
        tail = '\n'.join('    ' + line for line in run.console.strip().split('\n')[-20:])
        raise table.BenchError(f'{name}: {cause}\n--- the end of {log or "its console"}:\n{tail}')
    return run
