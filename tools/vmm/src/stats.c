// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters of a run (stats.h). Each vCPU thread adds to them. The main thread writes them after
 * all other threads have ended.
 */
#include <errno.h>
#include <stdatomic.h>

#include "stats.h"

static const char *const stat_names[NR_STATS] = {
	[STAT_EXITS]			= "exits",
	[STAT_EXITS_MMIO_READ]		= "exits_mmio_read",
	[STAT_EXITS_MMIO_WRITE]		= "exits_mmio_write",
	[STAT_EXITS_MMIO_UNMAPPED]	= "exits_mmio_unmapped",
	[STAT_EXITS_INTERRUPTED]	= "exits_interrupted",
	[STAT_EXITS_SYSTEM_EVENT]	= "exits_system_event",
	[STAT_EXITS_OTHER]		= "exits_other",
	[STAT_UART_BYTES_OUT]		= "uart_bytes_out",
	[STAT_UART_BYTES_IN]		= "uart_bytes_in",
	[STAT_UART_BYTES_LOST]		= "uart_bytes_lost",
	[STAT_DISK_REQUESTS]		= "disk_requests",
	[STAT_DISK_READS]		= "disk_reads",
	[STAT_DISK_WRITES]		= "disk_writes",
	[STAT_DISK_FLUSHES]		= "disk_flushes",
	[STAT_DISK_BYTES_READ]		= "disk_bytes_read",
	[STAT_DISK_BYTES_WRITTEN]	= "disk_bytes_written",
	[STAT_DISK_ERRORS]		= "disk_errors",
	[STAT_DISK_UNSUPPORTED]		= "disk_unsupported",
	[STAT_BALLOON_BYTES_INFLATED]	= "balloon_bytes_inflated",
	[STAT_BALLOON_BYTES_DEFLATED]	= "balloon_bytes_deflated",
	[STAT_BALLOON_BYTES_REPORTED]	= "balloon_bytes_reported",
	[STAT_BALLOON_BYTES_KEPT]	= "balloon_bytes_kept",
	[STAT_DEVICE_ERRORS]		= "device_errors",
	[STAT_DEVICE_RESETS]		= "device_resets",
	[STAT_GUEST_ACCESS_FAULTS]	= "guest_access_faults",
	[STAT_WINDOWS_ADDED]		= "windows_added",
	[STAT_WINDOWS_REMOVED]		= "windows_removed",
	[STAT_WINDOW_MAPS]		= "window_maps",
	[STAT_WINDOW_UNMAPS]		= "window_unmaps",
	[STAT_MEMORY_BYTES]		= "memory_bytes",
	[STAT_RUN_NS]			= "run_ns",
	[STAT_TEARDOWN_NS]		= "teardown_ns",
	[STAT_EXIT_STATUS]		= "exit_status",
};

static atomic_ullong stats[NR_STATS];

void stat_add(enum stat_id id, uint64_t value)
{
	atomic_fetch_add_explicit(&stats[id], value, memory_order_relaxed);
}

uint64_t stat_get(enum stat_id id)
{
	return atomic_load_explicit(&stats[id], memory_order_relaxed);
}

int stats_write(FILE *file)
{
	enum stat_id id;

	for (id = 0; id < NR_STATS; id++) {
		if (fprintf(file, "%s %llu\n", stat_names[id],
			    (unsigned long long)stat_get(id)) < 0)
			return -errno;
	}
	return fflush(file) ? -errno : 0;
}
