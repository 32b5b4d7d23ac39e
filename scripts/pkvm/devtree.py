# SPDX-License-Identifier: GPL-2.0-only
"""The device tree of a QEMU machine, with memory reserved for a guest firmware.

On a board the boot loader leaves the firmware in memory and says where in the
device tree. Here QEMU's loader device is the boot loader, and the device tree is
the machine's own with a node more.
"""

import os
import subprocess

COMPATIBLE = 'linux,pkvm-guest-firmware-memory'
RAM = 0x40000000
PAGE = 4096
LIMIT = 30


class DevtreeError(Exception):
    """Why there is no device tree."""


def run(*command):
    """Run a tool that has nothing to say."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False, timeout=LIMIT)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DevtreeError(f'{command[0]}: {error}') from None
    if done.returncode:
        raise DevtreeError(f'{command[0]}: status {done.returncode}: {done.stdout.strip()}')


def firmware_region(path, mem, page=PAGE):
    """Where the firmware of this file goes: (base, size), at the end of mem MiB of RAM.

    page is that of the host in bytes: Linux does not boot with part of one reserved.
    """
    size = -(-os.path.getsize(path) // page) * page
    if not size or size > mem << 18:
        raise DevtreeError(f'{path} has {os.path.getsize(path)} bytes: nothing, or more than a '
                           'quarter of the memory')
    return RAM + (mem << 20) - size, size


def add_region(tree, base, size, name='pkvm_guest_firmware', compatible=COMPATIBLE,
               no_map=True):
    """Reserve memory in a device tree."""
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
    """QEMU's arguments for a machine that a boot loader has left a firmware in.

    args are those of the machine without it, machine is what follows -M in them, page
    is that of the host in bytes.
    regions, for tests, are dictionaries of add_region()'s arguments in place of the
    one that is right.
    """
    tree = os.path.join(scratch, 'devtree')
    place = args.index('-M') + 1
    run(*args[:place], f'{machine},dumpdtb={tree}', *args[place + 1:])
    base, size = firmware_region(path, mem, page)
    for region in regions if regions is not None else [{'base': base, 'size': size}]:
        add_region(tree, **region)
    # A comma in a value is doubled, or QEMU takes it for the next option.
    name = path.replace(',', ',,')
    return args + ['-dtb', tree, '-device', f'loader,file={name},addr={base:#x},force-raw=on']
