/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters of a run, which --stats writes as "key value" lines. Rule: a counter never decreases.
 */
#ifndef VMM_STATS_H
#define VMM_STATS_H

#include <stdint.h>
#include <stdio.h>

enum stat_id {
	STAT_EXITS,
	STAT_EXITS_MMIO_READ,
	STAT_EXITS_MMIO_WRITE,
	STAT_EXITS_MMIO_UNMAPPED,
	STAT_EXITS_INTERRUPTED,
	STAT_EXITS_SYSTEM_EVENT,
	STAT_EXITS_OTHER,
	STAT_UART_BYTES_OUT,
	STAT_UART_BYTES_IN,
	STAT_UART_BYTES_LOST,
	STAT_DISK_REQUESTS,
	STAT_DISK_READS,
	STAT_DISK_WRITES,
	STAT_DISK_FLUSHES,
	STAT_DISK_BYTES_READ,
	STAT_DISK_BYTES_WRITTEN,
	STAT_DISK_ERRORS,
	STAT_DISK_UNSUPPORTED,
	STAT_BALLOON_BYTES_INFLATED,
	STAT_BALLOON_BYTES_DEFLATED,
	STAT_BALLOON_BYTES_REPORTED,
	STAT_BALLOON_BYTES_KEPT,
	STAT_DEVICE_ERRORS,
	STAT_DEVICE_RESETS,
	STAT_GUEST_ACCESS_FAULTS,
	STAT_WINDOWS_ADDED,
	STAT_WINDOWS_REMOVED,
	STAT_WINDOW_MAPS,
	STAT_WINDOW_UNMAPS,
	STAT_MEMORY_BYTES,
	STAT_RUN_NS,
	STAT_TEARDOWN_NS,
	STAT_EXIT_STATUS,
	NR_STATS,
};

/**
 * stat_add() - Add to a counter.
 * @id: which counter
 * @value: what to add, in the unit of the counter
 *
 * Any thread, no lock.
 */
void stat_add(enum stat_id id, uint64_t value);

/**
 * stat_get() - Read a counter.
 * @id: which counter
 *
 * Any thread, no lock.
 *
 * Return: the sum of all added values.
 */
uint64_t stat_get(enum stat_id id);

/**
 * stats_write() - Write every counter as a "key value" line.
 * @file: a file that is open for writing; flushed, not closed
 *
 * No other thread adds to a counter.
 *
 * Return: 0, or the negative errno of the failed write.
 */
int stats_write(FILE *file);

#endif /* VMM_STATS_H */
