/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Deadlines, which bound how long the firmware waits for a device.
 */
#ifndef PVMFW_CLOCK_H
#define PVMFW_CLOCK_H

#include "types.h"

/**
 * clock_deadline() - Make a deadline.
 * @seconds: seconds from now
 *
 * Return: a value for clock_passed().
 */
u64 clock_deadline(unsigned int seconds);

/**
 * clock_passed() - Check whether a deadline has passed.
 * @deadline: from clock_deadline()
 *
 * Return: true if so.
 */
bool clock_passed(u64 deadline);

#endif
