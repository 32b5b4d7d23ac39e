/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What was counted, for people and for tests.
 */
#ifndef PVMFW_STATS_H
#define PVMFW_STATS_H

#include "firmware.h"

/**
 * stats_print() - Print a line of calls and requests, and one of ticks.
 * @fw: the firmware, also one that has given up half way
 */
void stats_print(const struct firmware *fw);

#endif
