#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Start the firmware in VMs on a host under QEMU and check what it prints.

The tests use disks of several sizes, no disk, a disk that has a read error, invalid device trees,
a wrong load address, and every kind of exception.

Rules: nothing in the device tree is used before it is checked; code cannot be written nor
data executed; the firmware prints the cause of every error and resets the VM; nothing stays
shared. The results are TAP.
"""

import hashlib
import os
import random
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path.insert(0, os.path.join(TOP, 'scripts', 'pkvm'))

import qemu  # noqa: E402

CROSS = os.environ.get('CROSS_COMPILE', 'aarch64-linux-gnu-')
IMAGE_BASE = 0x7fc00000
IMAGE_MAX = 0x20000
RAM_BASE = 0x80000000
# The VMM's exit statuses.
OFF, RESET = 0, 3
# The sector of the host's disk that cannot be read, and the disk's size.
BAD_SECTOR, BAD_DISK = 300, 512 * 512

TREE = '''/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	chosen { stdout-path = "/uart@3f8"; };
	psci { compatible = "arm,psci-1.0"; method = "METHOD"; };
	memory@80000000 { device_type = "memory"; reg = <0 MEMORY>; };
	reserved-memory {
		#address-cells = <2>;
		#size-cells = <2>;
		pool { compatible = "restricted-dma-pool"; reg = <0 POOL 0 0x200000>; };
	};
	uart@3f8 { compatible = "ns16550a"; reg = <0 UART 0 8>; };
};
'''
GOOD = {'METHOD': 'hvc', 'MEMORY': '0x80000000 0 0x10000000', 'UART': '0x3f8',
        'POOL': '0x83e00000'}

# Code that replaces a function of the firmware, and what the firmware must then print.
EXCEPTIONS = {
    'an undefined instruction': (
        [0x00000000], 'error: exception: unknown or undefined instruction'),
    'a write to code': (
        [0x10000001, 0xf9000021],           # adr x1, . ; str x1, [x1]
        'error: exception: data abort, permission fault on write at 0x7fc'),
    'execution of the stack': (
        [0x910003e1, 0xd61f0020],           # mov x1, sp ; br x1
        'error: exception: instruction abort, permission fault on execute at 0x7fe'),
    'a write to the device tree': (
        [0xd2b07c01, 0xf9000021],           # mov x1, #0x83e00000 ; str x1, [x1]
        'error: exception: data abort, permission fault on write at 0x83e00000'),
    'a read of RAM that is not mapped': (
        [0xd2b20001, 0xf9400021],           # mov x1, #0x90000000 ; ldr x1, [x1]
        'error: exception: data abort, translation fault on read at 0x90000000'),
    'an overflow of the stack': (
        [0xf81f0fe1, 0x17ffffff],           # 1: str x1, [sp, #-16]! ; b 1b
        'error: exception: data abort, translation fault on write at 0x7fe'),
}


# Code that replaces sha256_final(): it writes far beyond the digest in its caller's frame.
OVERRUN = [0xd2800202,                          # mov x2, #16
           0xf8008422, 0xf1000442,              # 1: str x2, [x1], #8 ; subs x2, x2, #1
           0x54ffffc1, 0xd65f03c0]              # b.ne 1b ; ret


class Case:
    """One VM: its image and disk, what the firmware must print, and the VMM's exit status.

    shares: the firmware shares memory. orderly: the firmware ends by leave(), which unshares
    everything and prints so. options: more options for the VMM.
    """

    def __init__(self, name, image, says, status=RESET, disk=None, shares=False, orderly=True,
                 options=''):
        self.name, self.image, self.says, self.status = name, image, says, status
        self.disk, self.shares, self.orderly, self.options = disk, shares, orderly, options


def device_tree(**changes):
    """A compiled device tree: GOOD with changes."""
    text = TREE
    for key, value in {**GOOD, **changes}.items():
        text = text.replace(key, value)
    return subprocess.run(['dtc', '-q', '-O', 'dtb'], input=text.encode(), check=True,
                          stdout=subprocess.PIPE).stdout


def assemble(scratch):
    """The machine code of boot_shim.S."""
    elf, flat = os.path.join(scratch, 'shim.elf'), os.path.join(scratch, 'shim.bin')
    subprocess.run([CROSS + 'gcc', '-nostdlib', '-static', '-Wl,--build-id=none', '-o', elf,
                    os.path.join(HERE, 'boot_shim.S')], check=True)
    subprocess.run([CROSS + 'objcopy', '-O', 'binary', '-j', '.text', elf, flat], check=True)
    with open(flat, 'rb') as file:
        return file.read()


def build_sha256(scratch):
    """Build the program that compares SHA-256 with and without instructions, for the host."""
    program = os.path.join(scratch, 'sha256')
    source = os.path.join(os.path.dirname(HERE), 'src')
    subprocess.run([CROSS + 'gcc', '-static', '-O2', '-march=armv8-a+crypto', '-I', source,
                    '-o', program, os.path.join(HERE, 'sha256_arm.c'),
                    os.path.join(source, 'sha256.c'), os.path.join(source, 'sha256_hw.c')],
                   check=True)
    return program


class Images:
    """Makes files with changed images of the firmware."""

    def __init__(self, objects, scratch):
        self.scratch, self.count = scratch, 0
        with open(os.path.join(objects, 'pvmfw.bin'), 'rb') as file:
            self.firmware = file.read()
        self.shim = assemble(scratch)
        names = subprocess.run([CROSS + 'nm', os.path.join(objects, 'pvmfw.elf')], check=True,
                               stdout=subprocess.PIPE, text=True).stdout
        self.symbols = {line.split()[2]: int(line.split()[0], 16)
                        for line in names.splitlines()}

    def write(self, data):
        """A new file with these bytes."""
        self.count += 1
        path = os.path.join(self.scratch, f'image{self.count}')
        with open(path, 'wb') as file:
            file.write(data)
        return path

    def plain(self):
        """The unchanged firmware."""
        return self.write(self.firmware)

    def with_code(self, symbol, words):
        """The firmware with other instructions at the start of a function."""
        image = bytearray(self.firmware)
        at = self.symbols[symbol] - IMAGE_BASE
        image[at:at + 4 * len(words)] = struct.pack(f'<{len(words)}I', *words)
        return self.write(image)

    def with_tree(self, tree=b'', x0=0, moved=False):
        """The firmware entered with another x0 or at a wrong address; tree is copied to x0."""
        image = bytearray(self.firmware)
        image[0:4] = struct.pack('<I', 0x14000000 | IMAGE_MAX // 4)
        image += bytes(IMAGE_MAX - len(image)) + self.shim
        tree += bytes(-len(tree) % 8)
        start = len(image) + 32 + len(tree)
        start += -start % 0x1000
        entry = IMAGE_BASE + (start if moved else 0) + 4
        image += struct.pack('<4Q', x0 or RAM_BASE if tree else x0, entry, x0 or RAM_BASE,
                             len(tree)) + tree
        image += bytes(start - len(image)) + self.firmware
        return self.write(image)


def with_field(tree, offset, value):
    """The tree with another value of a 32-bit field in its header."""
    return tree[:offset] + struct.pack('>I', value) + tree[offset + 4:]


def cases(images):
    """All cases, in order."""
    rng = random.Random(1)
    good = device_tree()
    half = good[:len(good) // 2 & ~3] + bytes(len(good) - (len(good) // 2 & ~3))
    found = []
    for sectors in (1, 127, 128, 129, 1000):
        data = rng.randbytes(512 * sectors)
        found.append(Case(f'a disk of {sectors} sectors', images.plain(),
                          f'sha256 {hashlib.sha256(data).hexdigest()}', OFF,
                          images.write(data), True))
    small = found[0].disk
    found.append(Case('a disk without a fixed pool', images.plain(),
                      f'sha256 {hashlib.sha256(data).hexdigest()}', OFF, found[-1].disk, True,
                      options='--swiotlb 0'))
    found += [
        Case('a disk with a read error half way', images.plain(),
             f'error: disk, sectors {BAD_SECTOR // 128 * 128} to '
             f'{BAD_SECTOR // 128 * 128 + 127}: disk reports an I/O error',
             disk='/dev/vda', shares=True),
        Case('no disk', images.plain(), 'error: no virtio block device'),
        Case('no PCI host', images.with_tree(good), 'error: no virtio block device'),
        Case('a tree cut in half', images.with_tree(half), 'error: device tree is malformed'),
        Case('a tree without magic', images.with_tree(with_field(good, 0, 0)),
             'error: device tree has a bad header'),
        Case('a tree larger than its region', images.with_tree(with_field(good, 4, 0x200001)),
             'error: device tree claims more than its region holds'),
        Case('a tree smaller than its header', images.with_tree(with_field(good, 4, 39)),
             'error: device tree has a bad header'),
        Case('a tree whose strings are outside of it',
             images.with_tree(with_field(good, 12, 0x7ffffff0)),
             'error: device tree has a bad header'),
        Case('a tree in the middle of RAM', images.with_tree(good, x0=0x82ffff08),
             'error: no virtio block device'),
        Case('a tree at the end of RAM', images.with_tree(
            device_tree(MEMORY='0x80000000 0 0x4000000', POOL='0x83c00000'), x0=0x83fff800),
             'error: no virtio block device'),
        Case('a tree beyond RAM', images.with_tree(
            device_tree(MEMORY='0x80000000 0 0x1000000', POOL='0x80e00000'), x0=0x82000000),
             'error: RAM: address or size is out of range'),
        Case('no tree at the address in x0', images.with_tree(x0=0x82000000),
             'error: device tree has a bad header'),
        Case('firmware and RAM in one memory range', images.with_tree(
            device_tree(MEMORY='0x7fc00000 0 0x4400000')),
             'error: no virtio block device'),
        Case('firmware and RAM in two memory ranges', images.with_tree(
            device_tree(MEMORY='0x80000000 0 0x4000000>, <0 0x7fc00000 0 0x400000')),
             'error: no virtio block device'),
        Case('a tree in the firmware image', images.with_tree(x0=IMAGE_BASE),
             f'error: {IMAGE_BASE:#x}: device tree is misplaced'),
        Case('a misaligned tree', images.with_tree(x0=0x80000004),
             'error: 0x80000004: device tree is misplaced'),
        Case('memory below the firmware', images.with_tree(
            device_tree(MEMORY='0x40000000 0 0x50000000')),
             'error: memory starts at 0x40000000: device tree describes no usable memory'),
        Case('memory up to 2^64', images.with_tree(
            device_tree(MEMORY='0x80000000 0xffffffff 0xfffff000')),
             'error: memory of 0xfffffffffffff000 bytes: '
             'device tree describes no usable memory'),
        Case('a UART in the firmware image', images.with_tree(device_tree(UART='0x7fc00000')),
             'error: UART and firmware image: ranges overlap'),
        Case('a UART in two pages', images.with_tree(device_tree(UART='0xffc')),
             'error: registers at 0xffc leave their page: device tree describes no usable UART'),
        Case('PSCI by SMC', images.with_tree(device_tree(METHOD='smc')),
             'error: device tree has no PSCI by HVC'),
        Case('a wrong load address', images.with_tree(moved=True),
             'error: not loaded at its address', orderly=False),
    ]
    found += [Case(name, images.with_code('shared_init', words), says,
                   orderly=False)
              for name, (words, says) in EXCEPTIONS.items()]
    found.append(Case('an array that is overrun', images.with_code('sha256_final', OVERRUN),
                      'error: a stack frame was overrun', disk=small, orderly=False))
    return found


def wrong(case, job, protected):
    """Why a case has failed; None if it has not."""
    said = [line.removeprefix('pvmfw: ') for line in job.output.split('\n')
            if line.startswith('pvmfw: ')]
    if job.status != case.status:
        return f'the VMM ended with status {job.status} instead of {case.status}'
    if not any(line == case.says or 'exception' in case.says and line.startswith(case.says)
               for line in said):
        return f'the firmware did not print "{case.says}"'
    errors = [line for line in said if line.startswith('error: ')]
    if len(errors) != (case.status == RESET):
        return f'the firmware printed {len(errors)} errors'
    if case.orderly and said[-2:] != ['nothing shared', 'off' if case.status == OFF else 'reset']:
        return f'the last lines are {said[-2:]}'
    if case.shares:
        stats = dict(item.split('=') for line in said if line.startswith('stats ')
                     for item in line.split()[1:])
        if (int(stats['share_calls']) > 0) != protected or \
                stats['share_calls'] != stats['unshare_calls'] or \
                int(stats['granule_queries']) != protected:
            return f'unexpected counts: {stats}'
    return None


def bad_disk(scratch):
    """A disk with one sector that cannot be read, for qemu.boot()."""
    data = os.path.join(scratch, 'data')
    with open(data, 'wb') as file:
        file.truncate(BAD_DISK)
    return qemu.failing_disk(scratch, data, BAD_SECTOR)


def run(objects, cpu, modes):
    """Run all cases; the number that failed."""
    with tempfile.TemporaryDirectory(prefix='pvmfw.', dir=qemu.BUILD) as scratch:
        todo = [(case, mode) for mode in modes for case in cases(Images(objects, scratch))]
        files, jobs = {'/vmm': os.path.join(qemu.BUILD, 'vmm')}, []
        for number, (case, mode) in enumerate(todo):
            files[f'/fw{number}'] = case.image
            disk = case.disk
            if disk and not disk.startswith('/dev/'):
                files[f'/disk{number}'] = disk
                disk = f'/disk{number}'
            jobs.append(' '.join(filter(None, [
                '/vmm', '--protected' if mode == 'protected' else '', '--mem 64',
                f'--firmware /fw{number}', f'--disk {disk},ro' if disk else '', case.options,
                '--timeout 30'])))
        files['/sha256'] = build_sha256(scratch)
        jobs.append('/sha256')
        log = os.path.join(qemu.BUILD, 'log', f'pvmfw-boot-{cpu}.log')
        host = qemu.boot(jobs, cpu=cpu, files=files, drive=[bad_disk(scratch)], log=log,
                         limit=120 + 2 * len(jobs))
    failed = 0
    print(f'1..{len(todo) + 2}', flush=True)
    for number, ((case, mode), job) in enumerate(zip(todo, host.jobs), 1):
        cause = wrong(case, job, mode == 'protected')
        print(f'{"not " if cause else ""}ok {number} - {mode}, {case.name}')
        if cause:
            failed += 1
            print(f'# {cause}')
            print(''.join(f'#   {line}\n' for line in job.output.split('\n')), end='')
    both = host.jobs[-1]
    print(f'{"not " if both.status else ""}ok {len(todo) + 1} - SHA-256 by instructions')
    if both.status:
        failed += 1
        print(f'# status {both.status}: {both.output}')
    # The host itself must not have failed.
    print(f'{"not " if host.cause else ""}ok {len(todo) + 2} - the host')
    if host.cause:
        failed += 1
        print(f'# {host.cause}; see {log}')
    return failed


if __name__ == '__main__':
    sys.exit(qemu.run_guest_tests(__doc__, '--objects', os.path.join(qemu.BUILD, 'pvmfw-obj'),
                                  'directory with pvmfw.bin and pvmfw.elf', run))
