# SPDX-License-Identifier: GPL-2.0-only
"""The CPUs of runs and tests, in one table: whoever takes a CPU= or --cpu reads it here."""

import argparse
import dataclasses


@dataclasses.dataclass(frozen=True)
class Cpu:
    """What QEMU's -cpu is told, page sizes that the MMU has in KiB, words for the kernel."""
    model: str
    pages: tuple = (4, 16, 64)
    words: str = ''


CPUS = {
    # Armv8.0: no VHE, no LSE, no PAN. What is counted is counted on it.
    'a57': Cpu('cortex-a57', (4, 64)),
    # Every feature that QEMU models. EL2 runs with HCR_EL2.E2H set (hVHE).
    'max': Cpu('max,pauth-impdef=on'),
    # The same with E2H clear: VH=0 keeps Linux from using VHE itself, hvhe=0 its EL2.
    'max-nvhe': Cpu('max,pauth-impdef=on', words='arm64_sw.hvhe=0 id_aa64mmfr1.vh=0'),
    'a76': Cpu('cortex-a76'),
    'n1': Cpu('neoverse-n1'),
    'n2': Cpu('neoverse-n2'),
    'v1': Cpu('neoverse-v1'),
}
DEFAULT = 'a57'
# Of a host with larger pages.
DEFAULT_16K = 'a76'
# All layers of tests run on these, the last of which has pages of every size.
WHOLE = ('a57', 'max')
# The others run the main job and a smoke set of selftests.
SMOKE = ('a76', 'max-nvhe', 'n1', 'n2', 'v1')
# A host with pages of 16 KiB runs the main job on these.
LARGE_PAGES = ('a76', 'max-nvhe')
# Page sizes of a host that is built and run, in KiB.
PAGES = (4, 16)


def default(size):
    """The CPU of a host with pages of so many KiB if none is named."""
    return DEFAULT if size in CPUS[DEFAULT].pages else DEFAULT_16K


def cpu(text):
    """A CPU of the table, as argparse wants it."""
    if text not in CPUS:
        raise argparse.ArgumentTypeError(
            f'there is no CPU "{text}"; there are {", ".join(sorted(CPUS))}')
    return text


def page(text):
    """A page size of a host, as argparse wants it."""
    if text not in map(str, PAGES):
        raise argparse.ArgumentTypeError(
            f'there is no host with pages of "{text}" KiB; there are {", ".join(map(str, PAGES))}')
    return int(text)


def listing(indent):
    """What the CPUs are, for people, one a line."""
    def line(name, what):
        return (f'{indent}{name:<9} {what.model.split(",")[0]}'
                f'{", nVHE" if what.words else ""}; pages of '
                f'{", ".join(map(str, what.pages))} KiB'
                + ('; the default' if name == DEFAULT else ''))
    return '\n'.join(line(name, what) for name, what in sorted(CPUS.items()))


def add_option(parser, standard=None):
    """Give a script its --cpu, with a standard one or None."""
    parser.add_argument('--cpu', type=cpu, default=standard, metavar='NAME',
                        help=f'{"default " + standard if standard else "this CPU"}: '
                        + ', '.join(sorted(CPUS)))


def add_host_options(parser):
    """Give a script --cpu and --page; parse() settles what was not given."""
    add_option(parser)
    parser.add_argument('--page', type=page, default=4, metavar='KIB',
                        help='pages of the host: ' + ', '.join(map(str, PAGES)))


def parse(parser):
    """The arguments of a script with add_host_options()."""
    args = parser.parse_args()
    args.cpu = args.cpu or default(args.page)
    return args
