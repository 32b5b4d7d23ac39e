/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A record of calls of the fakes, in order, so that a test can check which came first.
 */
#ifndef PVMFW_FAKE_TRACE_H
#define PVMFW_FAKE_TRACE_H

#include "types.h"

/**
 * enum fake_event - What happened.
 * @EVENT_DISK_RESET: the device status of the disk was set to 0
 * @EVENT_UNSHARE: MEM_UNSHARE, at an IPA
 * @EVENT_UNGUARD: MMIO_GUARD_UNMAP, at an IPA
 * @EVENT_PRINT: a line on the console
 * @EVENT_COPY: mmu_copy(), to an address
 * @EVENT_CLEAN: mmu_clean(), from an address on
 * @EVENT_JUMP: fw_jump(), to an address
 * @EVENT_OFF: SYSTEM_OFF
 * @EVENT_RESET: SYSTEM_RESET
 */
enum fake_event {
	EVENT_DISK_RESET,
	EVENT_UNSHARE,
	EVENT_UNGUARD,
	EVENT_PRINT,
	EVENT_COPY,
	EVENT_CLEAN,
	EVENT_JUMP,
	EVENT_OFF,
	EVENT_RESET,
};

/**
 * struct fake_range - A range of memory.
 * @base: first address
 * @size: bytes
 */
struct fake_range {
	u64 base;
	u64 size;
};

/**
 * fake_trace_reset() - Remove all events.
 */
void fake_trace_reset(void);

/**
 * fake_trace() - Record an event. The first 4096 are kept.
 * @event: what happened
 * @at: its address
 */
void fake_trace(enum fake_event event, u64 at);

/**
 * fake_trace_first() - Find the first event of a kind in a range.
 * @event: the kind
 * @where: the range of addresses
 *
 * Return: its index among all events, counted from 0; -1 if there is none.
 */
int fake_trace_first(enum fake_event event, struct fake_range where);

/**
 * fake_trace_last() - Find the last event of a kind in a range.
 * @event: the kind
 * @where: the range of addresses
 *
 * Return: its index among all events, counted from 0; -1 if there is none.
 */
int fake_trace_last(enum fake_event event, struct fake_range where);

/**
 * fake_trace_count() - Count the events of a kind, at any address.
 * @event: the kind
 *
 * Return: their number.
 */
unsigned int fake_trace_count(enum fake_event event);

#endif
