# SPDX-License-Identifier: GPL-2.0-only
"""The table of CPUs on which hosts run, for make's CPU= and each script's option --cpu."""

import argparse
import dataclasses


@dataclasses.dataclass(frozen=True)
class Cpu:
    """The value of QEMU's -cpu, the page sizes of the MMU in KiB, kernel parameters, and more
    properties for QEMU's -M."""
    model: str
    pages: tuple = (4, 16, 64)
    words: str = ''
    machine: str = ''


CPUS = {
    # Armv8.0: no VHE, no LSE, no PAN. The benchmark counts instructions on this CPU.
    'a57': Cpu('cortex-a57', (4, 64)),
    # All features that QEMU models, and memory with tags. EL2 runs with HCR_EL2.E2H set (hVHE).
    'max': Cpu('max,pauth-impdef=on', machine='mte=on'),
    # The same CPU with E2H clear: vh=0 keeps Linux from using VHE, hvhe=0 its hypervisor.
    'max-nvhe': Cpu('max,pauth-impdef=on', words='arm64_sw.hvhe=0 id_aa64mmfr1.vh=0'),
    'a76': Cpu('cortex-a76'),
    'n1': Cpu('neoverse-n1'),
    'n2': Cpu('neoverse-n2'),
    'v1': Cpu('neoverse-v1'),
}
DEFAULT = 'a57'
# The default for a host with 16 KiB pages.
DEFAULT_16K = 'a76'
# All tests run on these CPUs. The last one supports all page sizes.
WHOLE = ('a57', 'max')
# On these CPUs only "make run" and a small set of selftests is tested.
SMOKE = ('a76', 'max-nvhe', 'n1', 'n2', 'v1')
# On these CPUs "make run" is also tested on a host with 16 KiB pages.
LARGE_PAGES = ('a76', 'max-nvhe')
# The page sizes for which a host kernel is built, in KiB.
PAGES = (4, 16)


def default(size):
    """Return the default CPU of a host whose pages have this size in KiB."""
    return DEFAULT if size in CPUS[DEFAULT].pages else DEFAULT_16K


def cpu(text):
    """Check the name of a CPU, as a type for argparse."""
    if text not in CPUS:
        raise argparse.ArgumentTypeError(
            f'there is no CPU "{text}"; there are {", ".join(sorted(CPUS))}')
    return text


def page(text):
    """Check the page size of a host, as a type for argparse."""
    if text not in map(str, PAGES):
        raise argparse.ArgumentTypeError(
            f'no host is built with pages of "{text}" KiB; the sizes are '
            f'{", ".join(map(str, PAGES))}')
    return int(text)


def listing(indent):
    """Return a text that describes the CPUs, one per line."""
    def line(name, what):
        return (f'{indent}{name:<9} {what.model.split(",")[0]}'
                f'{", nVHE" if what.words else ""}; pages of '
                f'{", ".join(map(str, what.pages))} KiB'
                + ('; the default' if name == DEFAULT else ''))
    return '\n'.join(line(name, what) for name, what in sorted(CPUS.items()))


def add_option(parser, standard=None):
    """Add the option --cpu to a parser, with a default CPU or None."""
    parser.add_argument('--cpu', type=cpu, default=standard, metavar='NAME',
                        help=f'{"default " + standard if standard else "this CPU"}: '
                        + ', '.join(sorted(CPUS)))
