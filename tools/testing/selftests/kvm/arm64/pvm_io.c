// SPDX-License-Identifier: GPL-2.0-only
/*
 * Helpers by which a test has the kernel use its memory. See pvm_io.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "pvm_io.h"
#include "pvm_probe.h"

#define DISK_SIZE	"16M"

/**
 * pvm_disk_open() - Make a block device, and open it for direct I/O
 * @disk: set to the disk.
 *
 * The disk is a zram device, whose driver copies the data by the CPU, without DMA. Any thread.
 *
 * Return: 0; or a negative errno, -ENODEV if the kernel has no zram.
 */
int pvm_disk_open(struct pvm_disk *disk)
{
	char path[64];

	disk->number = pvm_number("/sys/class/zram-control/hot_add");
	if (disk->number < 0)
		return -ENODEV;
	snprintf(path, sizeof(path), "/sys/block/zram%ld/disksize", disk->number);
	if (pvm_write(path, DISK_SIZE))
		return -errno;
	snprintf(path, sizeof(path), "/dev/zram%ld", disk->number);
	disk->fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	return disk->fd < 0 ? -errno : 0;
}

/**
 * pvm_disk_close() - Close and remove a disk
 * @disk: a disk of pvm_disk_open().
 *
 * Any thread.
 *
 * Return: 0 or a negative errno.
 */
int pvm_disk_close(struct pvm_disk *disk)
{
	char text[16];

	close(disk->fd);
	snprintf(text, sizeof(text), "%ld", disk->number);
	return pvm_write("/sys/class/zram-control/hot_remove", text);
}

/**
 * pvm_ring_open() - Make an io_uring for one request at a time
 * @ring: set to the ring.
 *
 * Any thread.
 *
 * Return: 0 or a negative errno.
 */
int pvm_ring_open(struct pvm_ring *ring)
{
	size_t page = getpagesize();

	*ring = (struct pvm_ring) {};
	ring->fd = syscall(SYS_io_uring_setup, 1, &ring->params);
	if (ring->fd < 0)
		return -errno;
	/* Both rings lie in one mapping. */
	ring->rings = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
			   IORING_OFF_SQ_RING);
	ring->sqes = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
			  IORING_OFF_SQES);
	if (ring->rings == MAP_FAILED || ring->sqes == MAP_FAILED ||
	    !(ring->params.features & IORING_FEAT_SINGLE_MMAP))
		return -ENOMEM;
	return 0;
}

/**
 * pvm_ring_close() - Close a ring, which unregisters its buffer
 * @ring: a ring of pvm_ring_open().
 *
 * No thread may use the ring.
 */
void pvm_ring_close(struct pvm_ring *ring)
{
	munmap(ring->rings, getpagesize());
	munmap(ring->sqes, getpagesize());
	close(ring->fd);
}

/**
 * pvm_ring_register() - Register a buffer with a ring, for which the kernel pins it
 * @ring: the ring.
 * @memory: the buffer.
 * @size: its size in bytes.
 *
 * One thread at a time may use a ring.
 *
 * Return: 0 or a negative errno.
 */
int pvm_ring_register(struct pvm_ring *ring, void *memory, size_t size)
{
	struct iovec iov = { memory, size };

	return syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_BUFFERS, &iov, 1) ?
	       -errno : 0;
}

/**
 * pvm_ring_unregister() - Unregister the buffer of a ring
 * @ring: the ring.
 *
 * The kernel may drop the last reference a moment later. One thread at a time may use a ring.
 *
 * Return: 0 or a negative errno.
 */
int pvm_ring_unregister(struct pvm_ring *ring)
{
	return syscall(SYS_io_uring_register, ring->fd, IORING_UNREGISTER_BUFFERS, NULL, 0) ?
	       -errno : 0;
}

/**
 * pvm_ring_submit() - Submit a request and wait for its completion
 * @ring: the ring.
 * @sqe: the request.
 *
 * One thread at a time may use a ring.
 *
 * Return: the result of the request; or a negative errno if the kernel did not take it.
 */
int pvm_ring_submit(struct pvm_ring *ring, const struct io_uring_sqe *sqe)
{
	const struct io_uring_params *p = &ring->params;
	uint32_t *tail = (uint32_t *)(ring->rings + p->sq_off.tail);
	uint32_t *head = (uint32_t *)(ring->rings + p->cq_off.head);
	uint32_t mask = *(uint32_t *)(ring->rings + p->cq_off.ring_mask);
	struct io_uring_cqe *cqes = (struct io_uring_cqe *)(ring->rings + p->cq_off.cqes);
	int ret;

	ring->sqes[0] = *sqe;
	((uint32_t *)(ring->rings + p->sq_off.array))[0] = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		return -errno;
	ret = cqes[*head & mask].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return ret;
}

/**
 * pvm_pipe_page() - Put a page into a new pipe by vmsplice(), without a copy
 * @ends: set to the pipe, which the caller closes, also after an error.
 * @memory: the page.
 * @size: the number of bytes.
 *
 * Any thread.
 *
 * Return: 0 or a negative errno.
 */
int pvm_pipe_page(int ends[2], void *memory, size_t size)
{
	struct iovec iov = { memory, size };

	if (pipe(ends))
		return -errno;
	return vmsplice(ends[1], &iov, 1, 0) == (ssize_t)size ? 0 : -errno;
}
