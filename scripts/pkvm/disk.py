#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""disk.py OUTPUT: write the disk image of tests, 64 MiB of data generated from a fixed seed.

No two pages are equal, so that a page that is read twice, from a wrong place or not at all
changes the digest.
"""

import hashlib
import os
import sys

SIZE = 64 << 20
SEED = b'protected guest memory: the default disk, version 1'


def main():
    output = sys.argv[1]
    with open(output + '.new', 'wb') as file:
        file.write(hashlib.shake_256(SEED).digest(SIZE))
    os.replace(output + '.new', output)


if __name__ == '__main__':
    main()
