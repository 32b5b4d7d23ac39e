/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest memory. Rule (R2): the VMM accesses guest memory only by these functions, which return
 * an error for memory that the guest does not share.
 */
#ifndef VMM_MEMORY_H
#define VMM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A range of guest physical addresses and the memory of this process behind it. */
struct guest_memory {
	uint64_t base;
	/* Bytes. */
	uint64_t size;
	uint8_t *host;
};

/**
 * guest_memory_guard() - Make this process survive faults on guest memory.
 *
 * Installs the handlers for SIGSEGV and SIGBUS on which all accesses below rely. A fault on
 * other memory still kills the process.
 *
 * Return: 0, or the negative errno of sigaction().
 */
int guest_memory_guard(void);

/**
 * guest_memory_init() - Make guest memory.
 * @memory: filled in
 * @base: first guest physical address, a multiple of 2 MiB
 * @size: bytes, a multiple of the page size
 *
 * The memory is anonymous, zeroed, and aligned so that the host kernel can back it by huge
 * pages.
 *
 * Return: 0, or the negative errno of mmap().
 */
int guest_memory_init(struct guest_memory *memory, uint64_t base, uint64_t size);

/**
 * guest_memory_use_small_pages() - Have the host back guest memory by single pages only.
 * @memory: from guest_memory_init(), not used yet
 *
 * The host frees a huge page only when the guest has given back all of it. A single page is free
 * as soon as guest_memory_discard() has returned.
 */
void guest_memory_use_small_pages(const struct guest_memory *memory);

/**
 * guest_memory_destroy() - Unmap guest memory.
 * @memory: from guest_memory_init(); no other thread uses it any more
 */
void guest_memory_destroy(struct guest_memory *memory);

/**
 * guest_memory_contains() - Check whether a range is guest memory. Any thread, as for all
 *	functions below.
 * @memory: guest memory
 * @address: guest physical address
 * @length: bytes, any value
 *
 * Return: true if all of the range is guest memory, shared or not.
 */
bool guest_memory_contains(const struct guest_memory *memory, uint64_t address, uint64_t length);

/**
 * guest_memory_read() - Copy out of guest memory.
 * @memory: guest memory
 * @address: guest physical address
 * @buffer: destination
 * @length: bytes
 *
 * Return: 0; -ERANGE if the range is not guest memory; -EFAULT if the guest does not share all
 * of it, when the contents of @buffer are undefined.
 */
int guest_memory_read(const struct guest_memory *memory, uint64_t address, void *buffer,
		      size_t length);

/**
 * guest_memory_write() - Copy into guest memory.
 * @memory: guest memory
 * @address: guest physical address
 * @buffer: source
 * @length: bytes
 *
 * Return: 0; -ERANGE if the range is not guest memory; -EFAULT if the guest does not share all
 * of it, when some of the bytes may have been written.
 */
int guest_memory_write(const struct guest_memory *memory, uint64_t address, const void *buffer,
		       size_t length);

/**
 * guest_memory_load16() - Read a 16-bit little-endian word that the guest may change meanwhile.
 * @memory: guest memory
 * @address: guest physical address, even
 * @value: set to the word
 *
 * One access, with acquire semantics.
 *
 * Return: 0; -ERANGE if the word is not guest memory or @address is odd; -EFAULT if the guest
 * does not share the word.
 */
int guest_memory_load16(const struct guest_memory *memory, uint64_t address, uint16_t *value);

/**
 * guest_memory_store16() - Write a 16-bit little-endian word that the guest polls.
 * @memory: guest memory
 * @address: guest physical address, even
 * @value: the word
 *
 * One access, with release semantics.
 *
 * Return: as guest_memory_load16().
 */
int guest_memory_store16(const struct guest_memory *memory, uint64_t address, uint16_t value);

/**
 * guest_memory_discard() - Give memory that the guest does not need back to the host.
 * @memory: guest memory
 * @address: guest physical address
 * @length: bytes; only pages of the host that lie in the range as a whole are given back
 * @kept: increased by the bytes of those pages that are private to the guest: it has not
 *	relinquished them, so they cannot be taken from it
 *
 * The next access of the guest gets another page, which the host has zeroed.
 *
 * Return: the bytes given back; -ERANGE if the range is not guest memory; or the negative errno
 * of madvise().
 */
int64_t guest_memory_discard(const struct guest_memory *memory, uint64_t address,
			     uint64_t length, uint64_t *kept);

/**
 * guest_memory_file_read() - Read from a file directly into guest memory.
 * @memory: guest memory
 * @fd: file, not opened with O_DIRECT: the kernel copies, and so finds pages not shared
 * @offset: bytes into the file
 * @address: guest physical address
 * @length: bytes
 *
 * Return: 0; -ERANGE if the range is not guest memory; -EFAULT if the guest does not share all
 * of it; -EIO if the file ends too early; or another negative errno of pread(). On an error
 * some of the bytes may have been read.
 */
int guest_memory_file_read(const struct guest_memory *memory, int fd, uint64_t offset,
			   uint64_t address, size_t length);

/**
 * guest_memory_file_write() - Write guest memory directly into a file.
 * @memory: guest memory
 * @fd: file
 * @offset: bytes into the file
 * @address: guest physical address
 * @length: bytes
 *
 * Return: as guest_memory_file_read(), with pwrite().
 */
int guest_memory_file_write(const struct guest_memory *memory, int fd, uint64_t offset,
			    uint64_t address, size_t length);

#endif /* VMM_MEMORY_H */
