/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Helpers by which a test has the kernel use its memory: a disk for direct I/O, an io_uring with a
 * fixed buffer, a pipe with pages. Tests use them on the memory of a guest.
 */
#ifndef SELFTEST_KVM_PVM_IO_H
#define SELFTEST_KVM_PVM_IO_H

#include <stddef.h>
#include <stdint.h>
#include <linux/stddef.h>
#include <linux/io_uring.h>

struct pvm_disk {
	int fd;
	long number;
};

struct pvm_ring {
	int fd;
	struct io_uring_params params;
	uint8_t *rings;
	struct io_uring_sqe *sqes;
};

int pvm_disk_open(struct pvm_disk *disk);
int pvm_disk_close(struct pvm_disk *disk);

int pvm_ring_open(struct pvm_ring *ring);
void pvm_ring_close(struct pvm_ring *ring);
int pvm_ring_register(struct pvm_ring *ring, void *memory, size_t size);
int pvm_ring_unregister(struct pvm_ring *ring);
int pvm_ring_submit(struct pvm_ring *ring, const struct io_uring_sqe *sqe);

int pvm_pipe_page(int ends[2], void *memory, size_t size);

#endif /* SELFTEST_KVM_PVM_IO_H */
