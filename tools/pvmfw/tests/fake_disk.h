/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtio block device for the unit tests. It touches only memory that the
 * fake hypervisor says is shared, and misbehaves as the test asks.
 */
#ifndef PVMFW_FAKE_DISK_H
#define PVMFW_FAKE_DISK_H

#include "fake_bus.h"
#include "types.h"

/**
 * enum fake_disk_evil - How it answers a request.
 * @EVIL_NONE: as it should
 * @EVIL_USED_JUMP: the used index moves by more than there are requests
 * @EVIL_USED_BACK: the used index moves backwards
 * @EVIL_WRONG_ID: a descriptor that starts no request
 * @EVIL_HUGE_ID: a descriptor beyond the queue
 * @EVIL_LONG: more bytes written than it may write
 * @EVIL_SHORT: fewer bytes written than asked for, yet success
 * @EVIL_UNCOUNTED: no evil: the status byte is not among the bytes written
 * @EVIL_STATUS: an unknown status
 * @EVIL_NO_STATUS: status never written
 * @EVIL_SILENT: no answer
 * @EVIL_NEEDS_RESET: no answer, and the device says that it is broken
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
 * struct fake_disk - What the test sets, and the registers.
 * @sectors: capacity
 * @features: what it offers
 * @queue_max: entries that its queue may have
 * @notify_off: queue_notify_off
 * @bad_sector: reading it is an I/O error; -1: none
 * @unsupported: it knows no reads
 * @evil: how it answers request @evil_from and later ones
 * @evil_from: counted from 1
 * @refuse_features: FEATURES_OK does not stick
 * @refuse_queue: the queue cannot be enabled
 * @stuck_reset: it never confirms a reset
 * @restless: its configuration generation changes at each read
 * @shuffle: it answers not at once but while the driver waits, one request at a
 *	time, in an order that this seeds; 0: at once
 * @requests: requests seen
 * @held: requests that wait for their answer
 * @held_count: how many there are
 * @held_peak: the most that ever were
 * @status: device status
 * @feature_select: which word of the features is read
 * @driver_select: which word is written
 * @driver_features: what the driver accepted
 * @generation: configuration generation
 * @queue_size: entries in use
 * @queue_enable: the queue is live
 * @desc: its descriptor table
 * @avail: its driver area
 * @used: its device area
 * @seen: requests taken
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

/** The one disk. */
extern struct fake_disk fake_disk;

/* Where its capabilities lie in its configuration space. */
#define FAKE_CAP_COMMON	0x40
#define FAKE_CAP_NOTIFY	0x50
#define FAKE_CAP_DEVICE	0x64

/**
 * fake_disk_add() - Put a good disk on the bus.
 * @slot: device number
 * @sectors: capacity
 *
 * Return: its function.
 */
struct fake_fn *fake_disk_add(unsigned int slot, u64 sectors);

/**
 * fake_disk_byte() - What the disk holds.
 * @at: byte offset
 *
 * Return: the byte.
 */
u8 fake_disk_byte(u64 at);

#endif
