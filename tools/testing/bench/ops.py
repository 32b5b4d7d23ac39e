# SPDX-License-Identifier: GPL-2.0-only
"""Counts operations of EL2 that cost more than an instruction, and the length of its stays.

make bench counts a TLB invalidation as one instruction. Here QEMU logs each instruction that it
executes at given addresses: EL2's TLB maintenance, cache maintenance and barriers, and the
counter reads of the guest's stopwatches. What it logs between the two reads of a stopwatch
belongs to what the stopwatch timed.

EL2 runs with interrupts off, so a stay must be short. All instructions of EL2 are logged, and
those from one return to EL1 to the next are one stay. Reported is the longest stay since the
first guest was entered, with the host call that it handled.
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
# The mnemonics that are counted. There is one dc or ic per cache line.
KINDS = table.OPERATIONS
INSTRUCTION = re.compile(r'^ *([0-9a-f]+):\t(\S+)(?:\t(.*))?$', re.M)
TRACE = re.compile(rb'^Trace \d+: \S+ \[[0-9a-f]+/([0-9a-f]+)/')
# The functions of EL2 that handle host calls.
HANDLER = re.compile(r'^([0-9a-f]+) \w __kvm_nvhe_handle_(__\w+)$', re.M)
# Without RANDOMIZE_BASE, EL2 maps the start of memory at bit 47 (Linux,
# arch/arm64/kvm/va_layout.c). QEMU loads the kernel 2 MiB behind the start of memory.
EL2_VA = 1 << 47
KERNEL_OFFSET = 2 << 20


def output(*command):
    """The output of a program of the tool chain."""
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise table.BenchError(f'{command[0]}: {error}') from None


def symbols(path, *names):
    """The addresses of these symbols in an ELF file."""
    found = {}
    for line in output(f'{TOOLS}nm', path).splitlines():
        address, _, name = (line.split() + [''] * 2)[:3]
        if name in names:
            found[name] = int(address, 16)
    for name in names:
        if name not in found:
            raise table.BenchError(f'{path} has no symbol {name}')
    return [found[name] for name in names]


def el2_places(vmlinux):
    """The instructions of EL2 that are counted: {address at EL2: kind}."""
    text, start, end, enter = symbols(vmlinux, '_text', '__hyp_text_start', '__hyp_text_end',
                                      '__kvm_nvhe___guest_enter')
    shift = EL2_VA + KERNEL_OFFSET - text
    code = output(f'{TOOLS}objdump', '-d', '--no-show-raw-insn',
                  f'--start-address={start:#x}', f'--stop-address={end:#x}', vmlinux)
    # DC ZVA stores zeroes and is not cache maintenance.
    places = {int(address, 16) + shift: name
              for address, name, operands in INSTRUCTION.findall(code)
              if name in KINDS and not operands.startswith('zva')}
    # Each entry of a guest executes this. If it is never logged, the shift is wrong.
    places[enter + shift] = 'enter'
    return places


class Stays:
    """The longest stays at EL2, in instructions, per host call."""

    def __init__(self, first, last, returns, handlers):
        self.first, self.last = first, last
        self.returns, self.handlers = returns, handlers
        self.counting = False
        self.length, self.what = 0, None
        # The longest stay per host call; the key None is for stays without a host call.
        self.longest = {}

    def see(self, address):
        """Count one instruction of EL2."""
        self.length += 1
        if address in self.handlers:
            self.what = self.handlers[address]
        if address in self.returns:
            if self.counting and self.length > self.longest.get(self.what, 0):
                self.longest[self.what] = self.length
            self.length, self.what = 0, None

    def worst(self):
        """The longest stay: (instructions, host call)."""
        if not self.longest:
            raise table.BenchError('no return from EL2 was logged')
        return max((length, what or 'no host call') for what, length in
                   self.longest.items())


def el2_stays(vmlinux):
    """A Stays for a kernel."""
    text, start, end = symbols(vmlinux, '_text', '__hyp_text_start', '__hyp_text_end')
    shift = EL2_VA + KERNEL_OFFSET - text
    code = output(f'{TOOLS}objdump', '-d', '--no-show-raw-insn',
                  f'--start-address={start:#x}', f'--stop-address={end:#x}', vmlinux)
    returns = {int(address, 16) + shift
               for address, name, _ in INSTRUCTION.findall(code) if name == 'eret'}
    handlers = {int(address, 16) + shift: name
                for address, name in HANDLER.findall(output(f'{TOOLS}nm', vmlinux))}
    if not returns or not handlers:
        raise table.BenchError(f'{vmlinux}: no eret or no handler of a host call found at EL2')
    return Stays(start + shift, end + shift, returns, handlers)


def guest_places(guest):
    """The guest's start, the counter reads of its stopwatches, and the end of a benchmark."""
    begin, ends = symbols(guest, '_start', 'bench_ends')
    places = {begin: 'begin', ends: 'ends'}
    code = output(f'{TOOLS}objdump', '-d', '--no-show-raw-insn', guest)
    for address, name, operands in INSTRUCTION.findall(code):
        if name == 'mrs' and operands.endswith('cntvct_el0'):
            places[int(address, 16)] = 'start' if operands.startswith('x10') else 'stop'
    return places


class Counter:
    """Reads a log and assigns its operations to benchmarks, in the order of the log.

    QEMU may log an instruction, interrupt it before it is executed, and log it again. So a start,
    stop or end that is logged twice counts once.
    """

    def __init__(self, places, stays):
        self.places = places
        self.stays = stays
        # For each benchmark, a list with a collections.Counter per reading of a stopwatch.
        self.benchmarks = []
        self.readings = []
        # Operations since the last start of a stopwatch, and those of them before the first
        # entry of a guest.
        self.open = self.left = None
        # For each guest, the operations after its last start of a stopwatch, before the next
        # guest is entered.
        self.ends = []

    def see(self, address):
        """Process one logged instruction."""
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
        """End a guest, whose last call the running stopwatch times."""
        if self.open is not None:
            self.ends.append(self.open if self.left is None else self.left)
        self.open = None
        self.readings = []

    def read(self, log):
        """Read a whole log, an iterable of lines."""
        for line in log:
            found = TRACE.match(line)
            if found:
                self.see(int(found.group(1), 16))
        self.close()


def mean(readings, number):
    """The mean number of operations of each kind in these readings, per one of number things."""
    total = sum(readings, collections.Counter())
    return {kind: total[kind] / number for kind in KINDS}


def last(readings, samples):
    """The last readings; those before them belong to the guest's console."""
    if len(readings) < samples:
        raise table.BenchError(f'{len(readings)} readings of a stopwatch were logged, '
                               f'but the guest reported {samples}')
    return readings[-samples:]


def assign(counter, guests):
    """The means of each guest's benchmarks; guests is a list of {benchmark: samples}."""
    reported = sum(len(guest) for guest in guests)
    if len(counter.benchmarks) != reported or len(counter.ends) != len(guests):
        raise table.BenchError(f'{len(counter.benchmarks)} benchmarks and {len(counter.ends)} '
                               f'ends were logged, but {reported} and {len(guests)} were reported')
    logged = iter(counter.benchmarks)
    found = [{name: mean(last(next(logged), samples), samples)
              for name, samples in guest.items()} for guest in guests]
    if not any(reading['enter'] for readings in counter.benchmarks for reading in readings):
        raise table.BenchError('no entry of a guest was logged at the address of its code')
    return found


def one_by_one():
    """The option by which QEMU translates, and so logs, each instruction by itself."""
    return ['-accel', 'tcg,one-insn-per-tb=on']


def trace(jobs, files, places, stays, append, limit):
    """Run jobs on a host under QEMU's log: (Jobs, Counter)."""
    options = argparse.Namespace(
        board='virt', cpu='a57', smp=1, mem=1024, mode='protected', append=append, drive=(),
        icount=True, verbose=False, kernel=os.path.join(qemu.BUILD, 'Image'))
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
    """A Run, if all of its jobs succeeded; log is the file with its console, or None."""
    cause = run.cause or qemu.find_cause(run, False)
    failed = [job for job in run.jobs if job.status]
    if failed and not cause:
        cause = f'"{failed[0].line}" ended with status {failed[0].status}'
    if cause:
        tail = '\n'.join('    ' + line for line in run.console.strip().split('\n')[-20:])
        raise table.BenchError(f'{name}: {cause}\n--- the end of {log or "its console"}:\n{tail}')
    return run
