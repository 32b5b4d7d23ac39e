# SPDX-License-Identifier: GPL-2.0-only
"""The table of machines on which hosts run, for make's BOARD= and each script's option --board.

Which CPU and which page size a host has is asked together with the machine, since a real board
has a CPU of its own.
"""

import argparse
import dataclasses

import cpus


@dataclasses.dataclass(frozen=True)
class Board:
    """A machine, as QEMU and the kernel have to know it.

    machine is the value of QEMU's -M, console the kernel's name of the UART that is the console,
    and uarts the number of UARTs before that one. tree is the file below build/ with the device
    tree of the board, if QEMU does not make one. cpu is the CPU that the board has, and smp how
    many; without cpu, any CPU can be asked for. disks says whether the kernel finds QEMU's disks,
    disk is QEMU's device for one, and devices are further devices.
    disabled are the beginnings of names of nodes that are disabled in the device tree. With uboot,
    U-Boot boots the kernel. QEMU before the version interrupts_since does not wire
    the virtual interrupts of the CPUs.
    """
    machine: str
    console: str = 'ttyAMA0'
    uarts: int = 0
    tree: str = None
    cpu: cpus.Cpu = None
    smp: int = None
    disks: bool = True
    disk: str = 'virtio-blk-device'
    devices: tuple = ()
    disabled: tuple = ()
    uboot: bool = False
    interrupts_since: tuple = ()
    about: str = ''


VIRT = 'virt,virtualization=on,gic-version=3'
BOARDS = {
    'virt': Board(VIRT, about='QEMU\'s own machine; the default'),
    # With firmware QEMU removes devices that ACPI would describe, unless it is off.
    'virt-u-boot': Board(VIRT + ',acpi=off', uboot=True,
                         about='the same, with kernel, device tree and firmware from U-Boot'),
    # A disk asks for no IOMMU unless told to. QEMU's edu device copies by DMA from and to any
    # address, for tests. No SMMU translates the DMA of fw-cfg and of virtio over MMIO.
    'virt-smmu': Board(VIRT + ',iommu=smmuv3',
                       disk='virtio-blk-pci,disable-legacy=on,iommu_platform=on',
                       devices=8 * ('edu,dma_mask=0xffffffffff',),
                       disabled=('fw-cfg@', 'virtio_mmio@'),
                       about='the same, where all devices are behind an SMMUv3'),
    # The device tree has four CPUs, whether they are there or not.
    'imx8mp-evk': Board('imx8mp-evk', 'ttymxc1', 1, 'imx8mp-evk.dtb',
                        cpus.Cpu('cortex-a53', (4, 64)), 4, disks=False,
                        interrupts_since=(10, 0, 3),
                        about='NXP\'s i.MX 8M Plus EVK, with the kernel\'s device tree'),
}
DEFAULT = 'virt'
# What the kernel of virt-smmu has to know where its edu devices are used: they need no driver but
# one that claims them, and have to reach the addresses that they are given.
SMMU_WORDS = 'iommu.passthrough=1 pci-stub.ids=1234:11e8'


def board(text):
    """Check the name of a board, as a type for argparse."""
    if text not in BOARDS:
        raise argparse.ArgumentTypeError(
            f'there is no board "{text}"; there are {", ".join(sorted(BOARDS))}')
    return text


def listing(indent):
    """Return a text that describes the boards, one per line."""
    return '\n'.join(f'{indent}{name:<11} {what.about}' for name, what in sorted(BOARDS.items()))


def cpu(name, wanted):
    """Return the Cpu of a board, which is the wanted one of the table if the board has none."""
    return BOARDS[name].cpu or cpus.CPUS[wanted]


def host(name, wanted, page=4):
    """Return a name for the host on this board with this CPU and page size, for its logs."""
    return '-'.join([*([] if name == DEFAULT else [name]),
                     *([] if BOARDS[name].cpu else [wanted]),
                     *([] if page == 4 else [f'{page}k'])])


def disk(name, number=0):
    """Return the path at which a host on this board has a disk."""
    return f'/dev/vd{chr(ord("a") + number)}' if BOARDS[name].disks else f'/disk{number}'


def add_option(parser):
    """Add the option --board to a parser."""
    parser.add_argument('--board', type=board, default=DEFAULT, metavar='NAME',
                        help=f'default {DEFAULT}: ' + ', '.join(sorted(BOARDS)))


def add_host_options(parser):
    """Add --board, --cpu, --page and --guest-page to a parser. parse() chooses the defaults."""
    add_option(parser)
    cpus.add_option(parser)
    for option, whose in ('--page', 'the host'), ('--guest-page', 'a Linux guest'):
        parser.add_argument(option, type=cpus.page, default=4, metavar='KIB',
                            help=f'page size of {whose} in KiB: '
                            + ', '.join(map(str, cpus.PAGES)))


def parse(parser):
    """Parse the arguments of a script that called add_host_options()."""
    args = parser.parse_args()
    its_own = BOARDS[args.board].cpu
    if its_own and args.cpu:
        parser.error(f'board {args.board} has a CPU of its own, {its_own.model}: name no other')
    args.cpu = args.cpu or cpus.default(max(args.page, args.guest_page))
    return args
