# SPDX-License-Identifier: GPL-2.0-only
"""Make the arguments for a QEMU machine with a secure world.

The machine starts at EL3 in tools/testing/spmc, our stand-in for secure firmware, which starts the
kernel at EL2 and answers PSCI and FF-A calls. QEMU's loader device puts kernel, initrd and device
tree at the addresses that spmc and the device tree expect.
"""

import os

import devtree

# The first two addresses are those in tools/testing/spmc/spmc.h. The device tree names the third.
KERNEL = 0x40200000
DEVTREE = 0x4f000000
INITRD = 0x50000000
# With firmware QEMU removes devices from the machine that ACPI would describe, unless it is off.
MACHINE = 'secure=on,acpi=off'


def with_spmc(args, machine, scratch, spmc):
    """Return QEMU's arguments for the machine of args with a secure world.

    args are the arguments of a machine whose kernel QEMU boots itself, with or without a device
    tree. machine is the argument of -M in them, spmc the firmware's file. Raises DevtreeError if
    a device tree cannot be made.
    """
    if not os.path.isfile(spmc):
        raise devtree.DevtreeError(f'{spmc} is missing')
    args = list(args)
    # This tree describes PSCI, which QEMU leaves out of a machine with secure firmware.
    tree = devtree.tree_of(args, machine, scratch)
    kernel, initrd, append = (devtree.take(args, option)
                              for option in ('-kernel', '-initrd', '-append'))
    devtree.run('fdtput', '-t', 's', tree, '/chosen', 'bootargs', append)
    for name, value in (('linux,initrd-start', INITRD),
                        ('linux,initrd-end', INITRD + os.path.getsize(initrd))):
        devtree.run('fdtput', '-t', 'x', tree, '/chosen', name, f'{value >> 32:x}',
                    f'{value & 0xffffffff:x}')
    args[args.index('-M') + 1] = f'{machine},{MACHINE}'
    return [*args, '-bios', spmc, *devtree.loader(kernel, KERNEL),
            *devtree.loader(initrd, INITRD), *devtree.loader(tree, DEVTREE)]
