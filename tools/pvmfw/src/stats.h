/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The firmware's counters, printed for people and for tests.
 */
#ifndef PVMFW_STATS_H
#define PVMFW_STATS_H

#include "firmware.h"

/**
 * stats_print() - Print a "stats" line with the counters and a "ticks" line with the time
 *	per phase.
 * @fw: the firmware, which may have given up in any phase
 */
void stats_print(const struct firmware *fw);

#endif
