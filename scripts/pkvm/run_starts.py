#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Layer 5 of make test: VMs that start and die, four at a time; no start may fail.

In CI they are few; make stress starts as many as one likes.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import seeded  # noqa: E402

# Four seconds for each, so that a busy machine does not look like a hang.
KIND = seeded.Kind('starts', os.path.basename(__file__), 'starts', 40, pace=0.25)

if __name__ == '__main__':
    sys.exit(seeded.main(__doc__, KIND))
