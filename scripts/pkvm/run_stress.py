#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Layer 5 of make test: many VMs on a host that is short of memory.

make test runs this for seconds; make stress SECONDS= runs it for any time. With the same seed
each process does the same again.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import seeded  # noqa: E402

# The host has so little memory that it has to reclaim pages all the time.
KIND = seeded.Kind('stress', os.path.basename(__file__), 'seconds', 15, mem=384)

if __name__ == '__main__':
    sys.exit(seeded.main(__doc__, KIND))
