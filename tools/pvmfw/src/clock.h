/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Time, for bounding how long a device may take.
 */
#ifndef PVMFW_CLOCK_H
#define PVMFW_CLOCK_H

#include "types.h"

/**
 * clock_deadline() - Name a point in time.
 * @seconds: how far away it is
 *
 * Return: a value for clock_passed().
 */
u64 clock_deadline(unsigned int seconds);

/**
 * clock_passed() - Tell whether a point in time lies in the past.
 * @deadline: from clock_deadline()
 *
 * Return: true once @deadline has come.
 */
bool clock_passed(u64 deadline);

#endif
