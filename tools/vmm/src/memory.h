/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest memory, and the only ways by which the VMM touches it.
 */
#ifndef VMM_MEMORY_H
#define VMM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One run of guest physical addresses and where it lies in this process. */
struct guest_memory {
	uint64_t base;
	uint64_t size;
	uint8_t *host;
};

/**
 * guest_memory_guard() - Make this process survive memory that it may not access.
 *
 * Installs the process's handlers for SIGSEGV and SIGBUS, which all accesses
 * below rely on; any other fault still kills the process.
 *
 * Return: 0, or the negative errno of sigaction().
 */
int guest_memory_guard(void);

/**
 * guest_memory_init() - Make guest memory.
 * @memory: what to fill in
 * @base: first guest physical address, a multiple of 2 MiB
 * @size: bytes, a multiple of the page size
 *
 * The memory is private, anonymous, zero, and placed so that the host kernel
 * can back it by huge pages.
 *
 * Return: 0, or the negative errno of mmap().
 */
int guest_memory_init(struct guest_memory *memory, uint64_t base, uint64_t size);

/**
 * guest_memory_destroy() - Give the memory back.
 * @memory: from guest_memory_init(); no other thread uses it any more
 */
void guest_memory_destroy(struct guest_memory *memory);

/**
 * guest_memory_contains() - Check a range that the guest named.
 * @memory: guest memory
 * @address: guest physical address
 * @length: bytes, any value
 *
 * Return: true if all of the range is guest memory, whoever may access it.
 */
bool guest_memory_contains(const struct guest_memory *memory, uint64_t address, uint64_t length);

/**
 * guest_memory_read() - Copy out of guest memory.
 * @memory: guest memory
 * @address: guest physical address
 * @buffer: where to
 * @length: bytes
 *
 * Return: 0; -ERANGE if the range is not guest memory; -EFAULT if the guest
 * does not share all of it, @buffer is then undefined.
 */
int guest_memory_read(const struct guest_memory *memory, uint64_t address, void *buffer,
		      size_t length);

/**
 * guest_memory_write() - Copy into guest memory.
 * @memory: guest memory
 * @address: guest physical address
 * @buffer: where from
 * @length: bytes
 *
 * Return: 0; -ERANGE if the range is not guest memory; -EFAULT if the guest
 * does not share all of it, some of the bytes may have been written then.
 */
int guest_memory_write(const struct guest_memory *memory, uint64_t address, const void *buffer,
		       size_t length);

/**
 * guest_memory_load16() - Read a 16-bit little-endian word that the guest changes meanwhile.
 * @memory: guest memory
 * @address: guest physical address, even
 * @value: the word
 *
 * One access, with acquire semantics.
 *
 * Return: 0; -ERANGE as above, also if @address is odd; -EFAULT as above.
 */
int guest_memory_load16(const struct guest_memory *memory, uint64_t address, uint16_t *value);

/**
 * guest_memory_store16() - Write a 16-bit little-endian word that the guest polls.
 * @memory: guest memory
 * @address: guest physical address, even
 * @value: the word
 *
 * One access, after everything that this thread wrote before.
 *
 * Return: as guest_memory_load16().
 */
int guest_memory_store16(const struct guest_memory *memory, uint64_t address, uint16_t value);

/**
 * guest_memory_file_read() - Read from a file straight into guest memory.
 * @memory: guest memory
 * @fd: file
 * @offset: bytes into the file
 * @address: guest physical address
 * @length: bytes
 *
 * Goes through the page cache and never through O_DIRECT: the kernel copies,
 * and so finds out about memory that is not shared.
 *
 * Return: 0; -ERANGE; -EFAULT; -EIO if the file ends too early; or what pread()
 * says. Some of the bytes may have been read on error.
 */
int guest_memory_file_read(const struct guest_memory *memory, int fd, uint64_t offset,
			   uint64_t address, size_t length);

/**
 * guest_memory_file_write() - Write guest memory straight into a file.
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
