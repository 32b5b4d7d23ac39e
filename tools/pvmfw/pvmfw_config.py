#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Append a configuration to the firmware's image: what the firmware may start, and how.

src/config.h describes the format. A configuration that the image already has is replaced.
Without options the firmware starts no kernel.
"""

import argparse
import hashlib
import struct
import sys

PAGE = 4096
MAGIC, VERSION = 0x67666370, 1
KERNEL_SHA256, INITRD_SHA256, CMDLINE, DISK_READ, HOST_CMDLINE, MAX_DISK = 1, 2, 3, 4, 5, 6
MAX_CMDLINE = 2048
MAX_READ, MAX_DEPTH, SECTOR = 0x10000, 16, 512
# MiB of the largest disk if the configuration has no entry for it.
DEFAULT_MAX_DISK = 1024


class ConfigError(Exception):
    """The configuration cannot be made; the message says why."""


def configuration(entries):
    """The configuration with these entries, a {type: bytes}, in the order given."""
    start = 16 + 12 * len(entries)
    table, data = b'', b''
    for kind, value in entries.items():
        data += bytes(-len(data) % 4)
        table += struct.pack('<3I', kind, start + len(data), len(value))
        data += value
    blob = struct.pack('<4I', MAGIC, VERSION, start + len(data), len(entries)) + table + data
    if len(blob) > PAGE:
        raise ConfigError(f'configuration of {len(blob)} bytes, limit {PAGE}')
    return blob


def without(image):
    """The image in whole pages, without the configuration that it may have."""
    image += bytes(-len(image) % PAGE)
    if struct.unpack('<2I', image[-PAGE:][:8]) == (MAGIC, VERSION):
        return image[:-PAGE]
    return image


def append(image, entries):
    """The image with a configuration of these entries as its last page."""
    blob = configuration(entries)
    return without(image) + blob + bytes(PAGE - len(blob))


def digest(path):
    """SHA-256 of a file."""
    with open(path, 'rb') as file:
        return hashlib.sha256(file.read()).digest()


def command_line(text):
    """The command line as an entry; refuse what the firmware would refuse."""
    value = text.encode() + b'\0'
    if len(value) > MAX_CMDLINE or any(not 32 <= byte < 127 for byte in value[:-1]):
        raise ConfigError(f'--cmdline: must be printable and shorter than {MAX_CMDLINE} bytes')
    return value


def entries_of(kernel=None, initrd=None, cmdline=None, host_cmdline=False, read_size=MAX_READ,
               read_depth=1, max_disk=DEFAULT_MAX_DISK):
    """The entries for these options; kernel and initrd are paths. Raises ConfigError."""
    found = {}
    if initrd and not kernel:
        raise ConfigError('--initrd needs --kernel')
    if cmdline is not None and host_cmdline:
        raise ConfigError('--cmdline and --host-cmdline exclude each other')
    if kernel:
        found[KERNEL_SHA256] = digest(kernel)
    if initrd:
        found[INITRD_SHA256] = digest(initrd)
    if cmdline is not None:
        found[CMDLINE] = command_line(cmdline)
    if host_cmdline:
        found[HOST_CMDLINE] = struct.pack('<I', 1)
    if (read_size, read_depth) != (MAX_READ, 1):
        if not 0 < read_size <= MAX_READ or read_size % SECTOR or \
                not 0 < read_depth <= MAX_DEPTH:
            raise ConfigError(f'--read-size must be 1 to {MAX_READ // SECTOR} sectors of {SECTOR} '
                              f'bytes, --read-depth 1 to {MAX_DEPTH}')
        found[DISK_READ] = struct.pack('<2I', read_size, read_depth)
    if max_disk != DEFAULT_MAX_DISK:
        if not 0 < max_disk < 1 << 32:
            raise ConfigError(f'--max-disk: {max_disk} MiB is not a valid size')
        found[MAX_DISK] = struct.pack('<I', max_disk)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('image', help='the firmware')
    parser.add_argument('output', help='the firmware with its configuration')
    parser.add_argument('--kernel', help='start only this kernel')
    parser.add_argument('--initrd', help='start it only with this initrd')
    parser.add_argument('--cmdline', help='the command line, whatever the VMM passes; '
                        'default: empty')
    parser.add_argument('--host-cmdline', action='store_true',
                        help='use the command line that the VMM passes, whatever it says')
    parser.add_argument('--read-size', type=int, default=MAX_READ,
                        help='bytes per request to the disk')
    parser.add_argument('--read-depth', type=int, default=1, help='requests in flight')
    parser.add_argument('--max-disk', type=int, default=DEFAULT_MAX_DISK, metavar='MIB',
                        help='start nothing if the disk is larger')
    args = parser.parse_args()
    try:
        entries = entries_of(args.kernel, args.initrd, args.cmdline, args.host_cmdline,
                             args.read_size, args.read_depth, args.max_disk)
        with open(args.image, 'rb') as file:
            image = append(file.read(), entries)
        with open(args.output, 'wb') as file:
            file.write(image)
    except (ConfigError, OSError) as error:
        print(f'pvmfw_config.py: error: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
