/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Windows: files of the host whose memory the guest sees in BAR 2 of a PCI function, that of
 * ivshmem's plain form. A window is plugged in and pulled out while the guest runs.
 *
 * Rule: the memory of a window is in the guest's address space exactly while the window is
 * plugged in and its BAR answers. The file is never accessed beyond the window. If the file
 * becomes shorter, the run does not end: what is missing reads as all ones.
 */
#ifndef VMM_WINDOW_H
#define VMM_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"
#include "memory.h"
#include "pci.h"
#include "root_port.h"

#define WINDOW_MIN_SIZE		0x1000UL
#define WINDOW_MAX_SIZE		0x40000000UL
/* windows_add() chooses the slot. */
#define WINDOW_ANY_SLOT		0

struct windows;

/* How windows get into the guest's address space. @number is 0 to WINDOW_SLOTS - 1. */
struct window_mapper {
	/* Returns 0 or a negative errno, when nothing has changed. */
	int (*map)(void *vm, unsigned int number, uint64_t address, void *memory, uint64_t size);
	int (*unmap)(void *vm, unsigned int number);
	void *vm;
};

struct window {
	struct pci_function pci;
	struct windows *owner;
	/* Only its host address and size: the base is 0. Size 0: there is no window. */
	struct guest_memory memory;
	char *path;
	int fd;
	/* How many bytes are in the guest's address space, from @address on; 0 if none is. */
	uint64_t mapped;
	uint64_t address;
};

struct windows {
	struct pci_host *host;
	struct window_mapper mapper;
	/* Slot n has number n + 1. */
	struct root_port port[WINDOW_SLOTS];
	struct window window[WINDOW_SLOTS];
	unsigned int complaints;
	/* How often windows_repair() has changed something. */
	unsigned int repairs;
};

/* A window as windows_get() shows it. */
struct window_info {
	uint64_t size;
	bool mapped;
	uint64_t address;
	/* To be freed. */
	char *path;
};

/**
 * window_parse_size() - Parse the size of a window.
 * @text: a decimal number, of bytes, or with K, M or G behind it
 * @size: set to the bytes
 *
 * Return: 0, or -EINVAL if it is not a power of two from 4K to 1G.
 */
int window_parse_size(const char *text, uint64_t *size);

/**
 * windows_init() - Plug the root ports of windows into bus 0, at WINDOW_FIRST_PORT.
 * @windows: filled in, except for the interrupt lines of the ports, which the caller sets
 * @host: the bus; no vCPU runs yet
 * @mapper: copied
 *
 * Return: 0, or a negative errno of root_port_init() or pci_host_plug().
 */
int windows_init(struct windows *windows, struct pci_host *host,
		 const struct window_mapper *mapper);

/**
 * windows_add() - Plug a window in.
 * @windows: after windows_init()
 * @path: a regular file
 * @size: from window_parse_size()
 * @slot: number of a slot, 1 to WINDOW_SLOTS, or WINDOW_ANY_SLOT for the first free one
 * @why: set to a text if an error has a cause that its errno does not say, else to NULL
 *
 * Any thread.
 *
 * Return: the number of the slot. -EINVAL if the file is not a regular one, is shorter than the
 * window, or @size is not a multiple of the host's page size, or there is no such slot; -EEXIST
 * if the slot is in use; -ENOSPC if all are; or another negative errno.
 */
int windows_add(struct windows *windows, const char *path, uint64_t size, unsigned int slot,
		const char **why);

/**
 * windows_remove() - Pull a window out, and let go of its file.
 * @windows: after windows_init()
 * @slot: number of its slot, any value
 *
 * When it returns, the guest cannot access the file. Any thread.
 *
 * Return: 0; -ENOENT if there is no window; or a negative errno of the mapper, when nothing has
 * changed.
 */
int windows_remove(struct windows *windows, unsigned int slot);

/**
 * windows_get() - Find out about a window.
 * @windows: after windows_init()
 * @slot: number of its slot, any value
 * @info: filled in
 *
 * Any thread.
 *
 * Return: 0; -ENOENT if there is no window; or -ENOMEM.
 */
int windows_get(struct windows *windows, unsigned int slot, struct window_info *info);

/**
 * windows_repair() - Remove from the guest's address space what files do not have any more.
 * @windows: after windows_init()
 * @seen: the number of repairs that the caller knows of, at first 0; updated
 *
 * For a vCPU that cannot run on, because KVM found no memory for an access. Another vCPU may
 * have made the repair meanwhile. Any thread.
 *
 * Return: true if there was a repair that the caller does not know of, so that the vCPU may
 * try again.
 */
bool windows_repair(struct windows *windows, unsigned int *seen);

/**
 * windows_destroy() - Let go of all files.
 * @windows: zeroed, or after windows_init(); the VM is gone
 */
void windows_destroy(struct windows *windows);

#endif /* VMM_WINDOW_H */
