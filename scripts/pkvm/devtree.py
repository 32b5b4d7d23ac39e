# SPDX-License-Identifier: GPL-2.0-only
"""Make the device tree of a QEMU machine with memory reserved for a guest firmware.

On a board the boot loader copies the firmware to memory and describes the place in the device
tree. Here QEMU's loader device does the copying, and the device tree is that of the machine
with one more node.
"""

import os
import subprocess

COMPATIBLE = 'linux,pkvm-guest-firmware-memory'
RAM = 0x40000000
PAGE = 4096
LIMIT = 30


class DevtreeError(Exception):
    """The device tree could not be made; the message says why."""


def run(*command):
    """Run a tool whose output is not needed; raise DevtreeError if it fails."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False, timeout=LIMIT)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DevtreeError(f'{command[0]}: {error}') from None
    if done.returncode:
        raise DevtreeError(f'{command[0]}: status {done.returncode}: {done.stdout.strip()}')


def firmware_region(path, mem, page=PAGE):
    """Return the place (base, size) of a firmware file, at the end of mem MiB of RAM.

    page is the host's page size in bytes. The size is a multiple of it, since Linux does not
    boot if part of a page is reserved.
    """
    size = -(-os.path.getsize(path) // page) * page
    if not size or size > mem << 18:
        raise DevtreeError(f'{path} has {os.path.getsize(path)} bytes: it is empty, or larger '
                           'than a quarter of the memory')
    return RAM + (mem << 20) - size, size


def add_region(tree, base, size, name='pkvm_guest_firmware', compatible=COMPATIBLE,
               no_map=True):
    """Add a node for reserved memory to a device tree."""
    parent = '/reserved-memory'
    node = f'{parent}/{name}@{base:x}'
    run('fdtput', '-cp', tree, node)
    for cells in ('#address-cells', '#size-cells'):
        run('fdtput', '-t', 'x', tree, parent, cells, '2')
    run('fdtput', tree, parent, 'ranges')
    run('fdtput', '-t', 'x', tree, node, 'reg',
        *(f'{word:x}' for word in (base >> 32, base & 0xffffffff, size >> 32,
                                   size & 0xffffffff)))
    if compatible:
        run('fdtput', '-t', 's', tree, node, 'compatible', compatible)
    if no_map:
        run('fdtput', tree, node, 'no-map')


def with_firmware(args, machine, path, mem, scratch, regions=None, page=PAGE):
    """Return QEMU's arguments for a machine with a guest firmware in reserved memory.

    args are QEMU's arguments without the firmware, machine is the argument of -M in them, and
    page is the host's page size in bytes. Tests pass regions, a list of dictionaries of
    add_region()'s arguments, in place of the correct region.
    """
    tree = os.path.join(scratch, 'devtree')
    place = args.index('-M') + 1
    run(*args[:place], f'{machine},dumpdtb={tree}', *args[place + 1:])
    base, size = firmware_region(path, mem, page)
    for region in regions if regions is not None else [{'base': base, 'size': size}]:
        add_region(tree, **region)
    # QEMU requires a comma in a value to be doubled.
    name = path.replace(',', ',,')
    return args + ['-dtb', tree, '-device', f'loader,file={name},addr={base:#x},force-raw=on']
