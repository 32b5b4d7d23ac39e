# SPDX-License-Identifier: GPL-2.0-only
"""Change the device tree of a QEMU machine: reserve memory for a guest firmware, disable devices.

On a board the boot loader copies the firmware to memory and describes the place in the device
tree. Here QEMU's loader device or U-Boot does the copying, and the device tree is that of the
machine with one more node.
"""

import os
import shutil
import subprocess

COMPATIBLE = 'linux,pkvm-guest-firmware-memory'
RAM = 0x40000000
PAGE = 4096
LIMIT = 30


class DevtreeError(Exception):
    """The device tree could not be made; the message says why."""


def run(*command):
    """Run a tool, and return its output; raise DevtreeError if it fails."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False, timeout=LIMIT)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DevtreeError(f'{command[0]}: {error}') from None
    if done.returncode:
        raise DevtreeError(f'{command[0]}: status {done.returncode}: {done.stdout.strip()}')
    return done.stdout


def take(args, option):
    """Remove an option and its value from args. Return the value, or None if there is none."""
    if option not in args:
        return None
    place = args.index(option)
    value = args[place + 1]
    del args[place:place + 2]
    return value


def loader(path, address):
    """Return QEMU's arguments that load a file into memory."""
    # QEMU requires a comma in a value to be doubled.
    name = path.replace(',', ',,')
    return ['-device', f'loader,file={name},addr={address:#x},force-raw=on']


def tree_of(args, machine, scratch):
    """Return a device tree that may be changed, in scratch, for the machine of args.

    It is a copy of the one in args, which is taken out of them, or else the one that QEMU makes.
    machine is the argument of -M in args.
    """
    tree = os.path.join(scratch, 'devtree')
    given = take(args, '-dtb')
    if not given:
        place = args.index('-M') + 1
        run(*args[:place], f'{machine},dumpdtb={tree}', *args[place + 1:])
    elif given != tree:
        shutil.copyfile(given, tree)
    return tree


def with_disabled(args, machine, names, scratch):
    """Return QEMU's arguments for a machine whose kernel does not see some of its devices.

    names are the beginnings of the names of their nodes below the root of the device tree.
    """
    args = list(args)
    tree = tree_of(args, machine, scratch)
    nodes = [node for node in run('fdtget', '-l', tree, '/').split() if node.startswith(names)]
    for name in names:
        if not any(node.startswith(name) for node in nodes):
            raise DevtreeError(f'machine {machine} has no device {name}')
    for node in nodes:
        run('fdtput', '-t', 's', tree, f'/{node}', 'status', 'disabled')
    return [*args, '-dtb', tree]


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
    """Return QEMU's arguments for a machine with memory reserved for a guest firmware, and where.

    args are QEMU's arguments without the firmware, machine is the argument of -M in them, and
    page is the host's page size in bytes. The region ends mem MiB after the start of RAM. Tests
    pass regions, a list of dictionaries of add_region()'s arguments, in place of that region.
    """
    args = list(args)
    tree = tree_of(args, machine, scratch)
    base, size = firmware_region(path, mem, page)
    for region in regions if regions is not None else [{'base': base, 'size': size}]:
        add_region(tree, **region)
    return [*args, '-dtb', tree], base
