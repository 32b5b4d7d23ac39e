# SPDX-License-Identifier: GPL-2.0-only
"""The benchmark guest's image: the program, and a pool of granules behind it.

The pool is part of the file, so the VMM populates all of its pages when it loads the image. The
guest's first access to a page thus finds the page in the host's memory.
"""

import struct

GRANULE = 4096
# The header of guest/entry.S: a branch, padding, MAGIC, size of the program, granules of the pool.
MAGIC = b'pkvmbnch'
HEADER = struct.Struct('<8x8sQQ')
GRANULES_AT = HEADER.size - 8


class ImageError(Exception):
    """The program does not have the header of guest/entry.S."""


def make_image(program, granules):
    """The program (bytes) with a pool of this many granules behind it."""
    if len(program) < HEADER.size:
        raise ImageError(f'the benchmark guest has {len(program)} bytes, which is no header')
    magic, end, _ = HEADER.unpack_from(program)
    if magic != MAGIC:
        raise ImageError(f'the benchmark guest has {magic!r} instead of {MAGIC!r}')
    if end % GRANULE or end < len(program):
        raise ImageError(f'the header of the benchmark guest ends at {end:#x}, but the program '
                         f'has {len(program):#x} bytes')
    image = bytearray(program)
    image[GRANULES_AT:HEADER.size] = struct.pack('<Q', granules)
    return bytes(image) + bytes(end - len(program) + granules * GRANULE)
