/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtio block device for the unit tests, which misbehaves as the test asks. Rule: it fails
 * the test if it has to access memory that is not shared with the host (fake_hyp.h).
 */
#ifndef PVMFW_FAKE_DISK_H
#define PVMFW_FAKE_DISK_H

#include "fake_bus.h"
#include "status.h"
#include "types.h"

/**
 * enum fake_disk_evil - How the disk misbehaves when it completes a request.
 * @EVIL_NONE: it does not
 * @EVIL_USED_JUMP: the used index moves by more than there are requests
 * @EVIL_USED_BACK: the used index moves backwards
 * @EVIL_WRONG_ID: the id is a descriptor that starts no request
 * @EVIL_HUGE_ID: the id is a descriptor beyond the queue
 * @EVIL_LONG: it claims more bytes than it may write
 * @EVIL_SHORT: it claims fewer bytes than requested, with the status of success
 * @EVIL_UNCOUNTED: valid: it does not count the status byte among the bytes written
 * @EVIL_STATUS: it writes an unknown status
 * @EVIL_NO_STATUS: it does not write the status
 * @EVIL_SILENT: it does not complete the request
 * @EVIL_NEEDS_RESET: it does not complete the request, and sets DEVICE_NEEDS_RESET
 */
enum fake_disk_evil {
	EVIL_NONE,
	EVIL_USED_JUMP,
	EVIL_USED_BACK,
	EVIL_WRONG_ID,
	EVIL_HUGE_ID,
	EVIL_LONG,
	EVIL_SHORT,
	EVIL_UNCOUNTED,
	EVIL_STATUS,
	EVIL_NO_STATUS,
	EVIL_SILENT,
	EVIL_NEEDS_RESET,
};

/**
 * struct fake_disk - Settings of the test, registers, and records.
 * @sectors: capacity
 * @features: features that it offers
 * @queue_max: entries that its queue may have
 * @notify_off: queue_notify_off
 * @bad_sector: sector whose read is an I/O error; -1: none
 * @unsupported: it answers every read with "unsupported"
 * @evil: how it misbehaves from request @evil_from on
 * @evil_from: number of a request, counted from 1
 * @refuse_features: it does not keep FEATURES_OK set
 * @refuse_queue: the queue cannot be enabled
 * @stuck_reset: it never confirms a reset
 * @restless: its configuration generation changes at each read
 * @shuffle: if not 0, it completes one request each time the driver reads the counter, in a
 *	random order with this seed; if 0, it completes each request at once
 * @requests: requests taken from the queue, in total
 * @held: requests that are not completed yet
 * @held_count: number of these
 * @held_peak: the largest value that @held_count has had
 * @status: device status
 * @feature_select: index of the word of @features that is read
 * @driver_select: index of the word of @driver_features that is written
 * @driver_features: features that the driver accepted
 * @generation: configuration generation
 * @queue_size: entries of its queue
 * @queue_enable: the queue is enabled
 * @desc: address of the descriptor table
 * @avail: address of the driver area
 * @used: address of the device area
 * @seen: free-running count of requests taken from the queue
 * @done: used index
 */
struct fake_disk {
	u64 sectors;
	u64 features;
	u16 queue_max;
	u16 notify_off;
	u64 bad_sector;
	bool unsupported;
	enum fake_disk_evil evil;
	u64 evil_from;
	bool refuse_features;
	bool refuse_queue;
	bool stuck_reset;
	bool restless;
	u64 shuffle;
	u64 requests;
	u16 held[64];
	unsigned int held_count;
	unsigned int held_peak;
	u8 status;
	u32 feature_select;
	u32 driver_select;
	u64 driver_features;
	u8 generation;
	u16 queue_size;
	u16 queue_enable;
	u64 desc;
	u64 avail;
	u64 used;
	u16 seen;
	u16 done;
};

/**
 * struct fake_disk_evil_case - What the driver says of a disk that misbehaves.
 * @evil: how
 * @status: what comes of the request
 */
struct fake_disk_evil_case {
	enum fake_disk_evil evil;
	enum fw_status status;
};

#define FAKE_DISK_EVIL_CASES	10

/** All ways to misbehave that are errors. */
extern const struct fake_disk_evil_case fake_disk_evil_cases[FAKE_DISK_EVIL_CASES];

/** The only disk. */
extern struct fake_disk fake_disk;

/* Offsets of its capabilities in configuration space. */
#define FAKE_CAP_COMMON	0x40
#define FAKE_CAP_NOTIFY	0x50
#define FAKE_CAP_DEVICE	0x64

/**
 * fake_disk_add() - Add a disk without faults to the bus.
 * @slot: device number
 * @sectors: capacity
 *
 * Return: its function.
 */
struct fake_fn *fake_disk_add(unsigned int slot, u64 sectors);

/**
 * fake_disk_byte() - Get the contents of the disk.
 * @at: offset of a byte
 *
 * Return: the byte.
 */
u8 fake_disk_byte(u64 at);

#endif
