#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Layer 5 of make test: a guest that fuzzes the hypervisor with random calls.

In CI they are few; make fuzz-guest makes as many as one likes. The guest makes
the same calls again with the same seed.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import seeded  # noqa: E402

# Fewer a second than ever seen.
KIND = seeded.Kind('fuzz', os.path.basename(__file__), 'calls', 100000, pace=500)

if __name__ == '__main__':
    sys.exit(seeded.main(__doc__, KIND))
