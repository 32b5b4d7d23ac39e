# SPDX-License-Identifier: GPL-2.0-only
"""The benchmark guest's image: the built program and a pool of granules behind it.

The pool lies in the file, so that the VMM that loads it populates every page of
it: what the guest then touches first is in the host's memory already.
"""

import struct

GRANULE = 4096
# guest/entry.S: a branch, padding, this word, size of the program, granules behind it.
MAGIC = b'pkvmbnch'
HEADER = struct.Struct('<8x8sQQ')
GRANULES_AT = HEADER.size - 8


class ImageError(Exception):
    """The program is not what guest/entry.S makes."""


def make_image(program, granules):
    """The program, as bytes, with a pool of so many granules behind it."""
    if len(program) < HEADER.size:
        raise ImageError(f'the benchmark guest has {len(program)} bytes: it has no header')
    magic, end, _ = HEADER.unpack_from(program)
    if magic != MAGIC:
        raise ImageError(f'the benchmark guest has {magic!r} where {MAGIC!r} must be')
    if end % GRANULE or end < len(program):
        raise ImageError(f'the benchmark guest says that it ends at {end:#x}, '
                         f'it has {len(program):#x} bytes')
    image = bytearray(program)
    image[GRANULES_AT:HEADER.size] = struct.pack('<Q', granules)
    return bytes(image) + bytes(end - len(program) + granules * GRANULE)
