#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Layer 5 of make test: VMs that start and end, four at a time; no start may fail.

make test starts only some of them; make stress starts more.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import seeded  # noqa: E402

# The pace only sets the time limit: four seconds per start, which also suits a busy machine.
KIND = seeded.Kind('starts', os.path.basename(__file__), 'starts', 40, pace=0.25)

if __name__ == '__main__':
    sys.exit(seeded.main(__doc__, KIND))
