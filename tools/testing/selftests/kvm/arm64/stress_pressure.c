// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes of the stress test that put the host's memory under pressure until they are killed:
 * they make it swap, split and collapse huge pages, compact memory, and merge equal pages. Each
 * checks the contents of its own memory: the host's own pages must keep them, too.
 *
 * See stress.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/compiler.h>
#include <linux/mman.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <unistd.h>

#include "pvm_probe.h"
#include "stress.h"

#define MIB			(1024UL * 1024)
#define ZRAM			"/dev/zram0"
#define SWAP_SIZE		"512M"
#define HUGE_SIZE		(8 * MIB)
#define EQUAL_SIZE		(2 * MIB)
/*
 * The hog locks all memory except HOG_LEAVES, and then uses HOG_SIZE, which is more. Less locked
 * and more used memory would make the host scan more pages, with a TLB invalidation for each, which
 * is very slow in an emulator. In bytes.
 */
#define HOG_LEAVES		(48 * MIB)
#define HOG_SIZE		(56 * MIB)

/* The start of a swap device. The signature is at the end of its first page. */
struct swap_header {
	char boot[1024];
	uint32_t version;
	uint32_t last_page;
	uint32_t nr_bad;
};

static int write_swap_header(void)
{
	static const char magic[] = "SWAPSPACE2";
	long size = getpagesize();
	char page[size];
	struct swap_header *header = (void *)page;
	int fd = open(ZRAM, O_RDWR | O_CLOEXEC);
	off_t end;
	int err = 0;

	if (fd < 0)
		return -errno;
	end = lseek(fd, 0, SEEK_END);
	memset(page, 0, size);
	header->version = 1;
	header->last_page = end / size - 1;
	memcpy(page + size - strlen(magic), magic, strlen(magic));
	if (end < 2 * size || pwrite(fd, page, size, 0) != size || fsync(fd))
		err = errno ? -errno : -ENOSPC;
	close(fd);
	return err;
}

/**
 * stress_add_swap() - Make the host swap to zram
 *
 * Call it once, before other threads start.
 *
 * Return: 0, also if the host has swap already; or a negative errno.
 */
int stress_add_swap(void)
{
	int err;

	if (pvm_proc_number("/proc/meminfo", "SwapTotal") > 0)
		return 0;
	err = pvm_write("/sys/block/zram0/disksize", SWAP_SIZE);
	if (!err)
		err = write_swap_header();
	if (!err && swapon(ZRAM, 0))
		err = -errno;
	return err;
}

static uint8_t *map_aligned(size_t size, size_t align)
{
	uint8_t *mem = mmap(NULL, size + align, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mem == MAP_FAILED ? NULL : mem + -(uintptr_t)mem % align;
}

static uint64_t expected(size_t at)
{
	return STRESS_PLAIN | at;
}

static void fill(uint8_t *mem, size_t from, size_t to)
{
	for (size_t at = from; at < to; at += getpagesize())
		WRITE_ONCE(*(uint64_t *)(mem + at), expected(at));
}

/* Check that the memory still has what fill() wrote. */
static bool intact(const uint8_t *mem, size_t from, size_t to)
{
	for (size_t at = from; at < to; at += getpagesize()) {
		uint64_t value = READ_ONCE(*(const uint64_t *)(mem + at));

		if (value != expected(at)) {
			printf("# the host's own page at %#zx has %#lx\n", at, value);
			return false;
		}
	}
	return true;
}

/* Use more memory than is free, so that the host has to reclaim pages of all processes. */
static int hog(uint64_t *random)
{
	size_t available = pvm_proc_number("/proc/meminfo", "MemAvailable") * 1024;
	size_t page = getpagesize(), size = HOG_SIZE;
	uint8_t *mem;

	if (available > HOG_LEAVES) {
		mem = map_aligned(available - HOG_LEAVES, page);
		if (!mem || mlock(mem, available - HOG_LEAVES))
			return -ENOMEM;
	}
	mem = map_aligned(size, page);
	if (!mem)
		return -ENOMEM;
	fill(mem, 0, size);

	for (;;) {
		size_t from = stress_random(random) % (size / page) * page;
		size_t to = from + 256 * page;

		if (to > size)
			to = size;
		if (!intact(mem, from, to))
			return -EIO;
		fill(mem, from, to);
		if (madvise(mem + from, to - from, MADV_PAGEOUT))
			return -errno;
		usleep(10000);
	}
}

/* Collapse pages into huge pages, and split them by dropping or paging out a part. */
static int split(uint64_t *random)
{
	const size_t huge = 2 * MIB;
	uint8_t *mem = map_aligned(HUGE_SIZE, huge);

	if (!mem || madvise(mem, HUGE_SIZE, MADV_HUGEPAGE))
		return -ENOMEM;
	fill(mem, 0, HUGE_SIZE);

	for (;;) {
		size_t at = stress_random(random) % (HUGE_SIZE / huge) * huge;
		size_t half = at + huge / 2;

		switch (stress_random(random) % 4) {
		case 0:
			/* This may fail without a free huge page. */
			madvise(mem + at, huge, MADV_COLLAPSE);
			break;
		case 1:
			if (madvise(mem + at, huge / 2, MADV_DONTNEED))
				return -errno;
			fill(mem, at, half);
			break;
		case 2:
			if (madvise(mem + half, huge / 2, MADV_PAGEOUT))
				return -errno;
			break;
		default:
			if (mprotect(mem + at, getpagesize(), PROT_READ) ||
			    mprotect(mem + at, getpagesize(), PROT_READ | PROT_WRITE))
				return -errno;
		}
		if (!intact(mem, at, at + huge))
			return -EIO;
		usleep(5000);
	}
}

/* Have the host compact its memory, which migrates all movable pages. */
static int compact(uint64_t *random)
{
	for (;;) {
		int err = pvm_write("/proc/sys/vm/compact_memory", "1");

		if (!err && stress_random(random) % 8 == 0)
			err = pvm_write("/proc/sys/vm/drop_caches", "1");
		if (err)
			return err;
		usleep(20000 + stress_random(random) % 50000);
	}
}

/* Have KSM merge equal pages, and write to them, which separates them again. */
static int merge(uint64_t *random)
{
	size_t page = getpagesize();
	uint8_t *mem = map_aligned(EQUAL_SIZE, page);
	int err;

	if (!mem || madvise(mem, EQUAL_SIZE, MADV_MERGEABLE))
		return -ENOMEM;
	err = pvm_write("/sys/kernel/mm/ksm/sleep_millisecs", "10");
	if (!err)
		err = pvm_write("/sys/kernel/mm/ksm/pages_to_scan", "1000");
	if (!err)
		err = pvm_write("/sys/kernel/mm/ksm/run", "1");
	if (err)
		return err;

	memset(mem, 0x5a, EQUAL_SIZE);
	for (;;) {
		size_t at = stress_random(random) % (EQUAL_SIZE / page) * page;

		for (size_t i = 0; i < page; i++) {
			if (READ_ONCE(mem[at + i]) != 0x5a)
				return -EIO;
		}
		WRITE_ONCE(mem[at], 0x5a);
		usleep(1000);
	}
}

/**
 * stress_pressure() - Put the host's memory under one kind of pressure, until killed
 * @kind: the kind, below STRESS_PRESSURES.
 * @seed: the seed of the random choices.
 *
 * For a process of its own.
 *
 * Return: 1 after an error, which it prints; else it does not return.
 */
int stress_pressure(unsigned int kind, uint64_t seed)
{
	static const struct {
		const char *name;
		int (*run)(uint64_t *random);
	} pressures[STRESS_PRESSURES] = {
		{ "hog", hog },
		{ "split", split },
		{ "compact", compact },
		{ "merge", merge },
	};
	int err = pressures[kind].run(&seed);

	printf("# the host under pressure, %s: %s\n", pressures[kind].name, strerror(-err));
	return 1;
}
