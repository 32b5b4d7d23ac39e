# SPDX-License-Identifier: GPL-2.0-only
"""Boot a QEMU machine with U-Boot, which loads from a disk, as it does on a board.

Kernel, initrd, device tree and guest firmware are files of an ext4 file system on an NVMe disk, a
kind of disk that the host's kernel has no driver for: the host's own disks keep their names.
What a person would type at U-Boot's prompt is typed by a dialog.
"""

import os
import shutil
import tempfile

import console
import devtree
import guest_root

PACKAGE = '/usr/lib/u-boot/qemu_arm64/u-boot.bin'
PROMPT = rb'\n=> '
# Only U-Boot prints this as a line of its own: what is typed, and echoed, is longer.
GOOD = '=good='
# Places that do not overlap, from the start of RAM. U-Boot itself is at the end of RAM.
KERNEL, TREE, INITRD = 0x400000, 0x7000000, 0x8000000
# What ext4 needs beside the files.
SLACK = 8 << 20


class Dialog:
    """Stop U-Boot from booting by itself, type these commands, and let another dialog follow."""

    def __init__(self, commands, last, follows=None):
        self.commands = commands
        self.last = last
        self.follows = follows

    def __call__(self, machine):
        machine.expect(rb'Hit any key to stop autoboot')
        machine.type('')
        machine.expect(PROMPT)
        for command in self.commands:
            machine.type(f'{command} && echo {GOOD}')
            _, said = machine.expect(PROMPT)
            if f'\n{GOOD}' not in said:
                raise console.Ended(f'U-Boot, told "{command}", says: {said.strip()}')
        machine.type(self.last)
        if self.follows:
            self.follows(machine)


def make_disk(path, files):
    """Write an ext4 image with these files, a dictionary from name to file."""
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as folder:
        for name, source in files.items():
            shutil.copyfile(source, os.path.join(folder, name))
        size = sum(map(os.path.getsize, files.values())) + SLACK
        with open(path, 'wb') as image:
            image.truncate(size + -size % (1 << 20))
        guest_root.run('mke2fs', '-q', '-F', '-t', 'ext4', '-O', '^metadata_csum', '-d', folder,
                       path)


def with_uboot(args, machine, scratch, firmware=None, base=None, follows=None):
    """Return QEMU's arguments for the machine of args with U-Boot, and the dialog that boots it.

    args are the arguments of a machine whose kernel QEMU boots itself, with or without a device
    tree, and machine is the argument of -M in them. firmware is the file of a guest firmware and
    base its address, if there is one. The dialog is followed by another one. Raises
    DevtreeError if the machine cannot be made.
    """
    if not os.path.isfile(PACKAGE):
        raise devtree.DevtreeError(f'{PACKAGE} is missing: install u-boot-qemu')
    args = list(args)
    tree = devtree.tree_of(args, machine, scratch)
    kernel, initrd, append = (devtree.take(args, option)
                              for option in ('-kernel', '-initrd', '-append'))
    places = [('Image', kernel, KERNEL), ('devtree', tree, TREE), ('initrd', initrd, INITRD)]
    places = [(name, path, devtree.RAM + place) for name, path, place in places]
    if firmware:
        places.insert(0, ('pvmfw.bin', firmware, base))
    disk = os.path.join(scratch, 'boot.img')
    try:
        make_disk(disk, {name: path for name, path, _ in places})
    except guest_root.RootError as error:
        raise devtree.DevtreeError(str(error)) from None
    at = {name: f'{place:#x}' for name, _, place in places}
    commands = ['nvme scan', f'setenv bootargs {append}',
                # Everything stays where it is loaded.
                'setenv fdt_high', 'setenv initrd_high',
                *(f'load nvme 0 {place} {name}' for name, place in at.items())]
    # The size is that of what was loaded last.
    last = f'booti {at["Image"]} {at["initrd"]}:${{filesize}} {at["devtree"]}'
    return ([*args, '-bios', PACKAGE,
             '-drive', f'file={disk},format=raw,if=none,id=boot,readonly=on',
             '-device', 'nvme,drive=boot,serial=boot'], Dialog(commands, last, follows))
