# SPDX-License-Identifier: GPL-2.0-only
"""A QEMU machine with a secure world, in which our stand-in for its firmware runs.

The machine starts at EL3 in tools/testing/spmc, which starts the kernel at EL2 and
answers PSCI and FF-A. QEMU's loader device is the boot loader: kernel, initrd and
device tree lie where the firmware and the tree say.
"""

import os

import devtree

# As in tools/testing/spmc/spmc.h, but for the initrd, which the device tree names.
KERNEL = 0x40200000
DEVTREE = 0x4f000000
INITRD = 0x50000000
# Without ACPI the machine has the devices of its device tree also with a firmware.
MACHINE = 'secure=on,acpi=off'


def take(args, option):
    """Take an option with its value out of args: the value, None if it is not there."""
    if option not in args:
        return None
    place = args.index(option)
    value = args[place + 1]
    del args[place:place + 2]
    return value


def loader(path, address):
    """QEMU's arguments that put a file in memory."""
    # A comma in a value is doubled, or QEMU takes it for the next option.
    name = path.replace(',', ',,')
    return ['-device', f'loader,file={name},addr={address:#x},force-raw=on']


def with_spmc(args, machine, scratch, spmc):
    """QEMU's arguments for the machine of args with a secure world.

    args are those of a machine that QEMU itself boots a kernel on, with or without a
    device tree; machine is what follows -M in them, spmc the firmware's file. Raises
    DevtreeError if there is no device tree.
    """
    if not os.path.isfile(spmc):
        raise devtree.DevtreeError(f'{spmc} is missing')
    args = list(args)
    tree = take(args, '-dtb')
    if not tree:
        tree = os.path.join(scratch, 'devtree')
        place = args.index('-M') + 1
        # It has the methods of PSCI, which a machine with a firmware of its own has not.
        devtree.run(*args[:place], f'{machine},dumpdtb={tree}', *args[place + 1:])
    kernel, initrd, append = (take(args, option) for option in ('-kernel', '-initrd', '-append'))
    devtree.run('fdtput', '-t', 's', tree, '/chosen', 'bootargs', append)
    for name, value in (('linux,initrd-start', INITRD),
                        ('linux,initrd-end', INITRD + os.path.getsize(initrd))):
        devtree.run('fdtput', '-t', 'x', tree, '/chosen', name, f'{value >> 32:x}',
                    f'{value & 0xffffffff:x}')
    args[args.index('-M') + 1] = f'{machine},{MACHINE}'
    return [*args, '-bios', spmc, *loader(kernel, KERNEL), *loader(initrd, INITRD),
            *loader(tree, DEVTREE)]
