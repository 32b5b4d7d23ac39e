#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Layer 5 of make test: VMs under stress, on a host under pressure.

In CI it is short; make stress takes as long as one likes. Each process does the
same again with the same seed.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import seeded  # noqa: E402

# With little memory, so that the host has to reclaim it all the time.
KIND = seeded.Kind('stress', os.path.basename(__file__), 'seconds', 15, mem=384)

if __name__ == '__main__':
    sys.exit(seeded.main(__doc__, KIND))
