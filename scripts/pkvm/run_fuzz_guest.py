#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Layer 5 of make test: a guest that makes random hypercalls.

make test makes only some of them; make fuzz-guest N= makes any number. With the same seed the
guest makes the same calls.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import seeded  # noqa: E402

# The pace, in calls per second, only sets the time limit. It is lower than on any machine tested.
KIND = seeded.Kind('fuzz', os.path.basename(__file__), 'calls', 100000, pace=500)

if __name__ == '__main__':
    sys.exit(seeded.main(__doc__, KIND))
