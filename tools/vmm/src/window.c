// SPDX-License-Identifier: GPL-2.0-only
/*
 * Windows (window.h).
 *
 * The guest accesses a window by itself where the mapper puts it. Where KVM does not let a
 * protected guest do that, as the guest has not guarded the BAR or not enrolled, the access
 * ends here, and is carried out on the same memory.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "le.h"
#include "log.h"
#include "stats.h"
#include "window.h"

#define DEVICE_IVSHMEM		0x1110
#define SUBSYSTEM_ID		0x1100
#define CLASS_MEMORY_RAM	0x050000
#define REVISION		1
#define BAR			2

#define HUGE_PAGE_SIZE		0x200000UL
#define MAX_COMPLAINTS		8

#define container_of_window(function) \
	((struct window *)((char *)(function) - offsetof(struct window, pci)))

int window_parse_size(const char *text, uint64_t *size)
{
	static const char units[] = "KMG";
	const char *unit;
	char *end;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	*size = strtoul(text, &end, 10);
	if (*end) {
		unit = strchr(units, *end);
		if (!unit || end[1] || *size > WINDOW_MAX_SIZE)
			return -EINVAL;
		*size <<= 10 * (unit - units + 1);
	}
	if (*size < WINDOW_MIN_SIZE || *size > WINDOW_MAX_SIZE || *size & (*size - 1))
		return -EINVAL;
	return 0;
}

static bool exists(const struct window *window)
{
	return window->memory.size;
}

static unsigned int number_of(const struct window *window)
{
	return window - window->owner->window;
}

static bool overlaps_mapped(const struct windows *windows, const struct window *window,
			    uint64_t address)
{
	unsigned int i;

	for (i = 0; i < WINDOW_SLOTS; i++) {
		const struct window *other = &windows->window[i];

		if (other != window && other->mapped &&
		    address < other->address + other->memory.size &&
		    other->address < address + window->memory.size)
			return true;
	}
	return false;
}

static void complain(struct windows *windows, const struct window *window, const char *what,
		     int err)
{
	if (windows->complaints++ < MAX_COMPLAINTS)
		log_warn("window in slot %u: cannot %s its memory: %s", number_of(window) + 1,
			 what, strerror(-err));
}

static int window_unmap(struct windows *windows, struct window *window)
{
	int err;

	if (!window->mapped)
		return 0;
	err = windows->mapper.unmap(windows->mapper.vm, number_of(window));
	if (err) {
		complain(windows, window, "take back", err);
		return err;
	}
	window->mapped = 0;
	stat_add(STAT_WINDOW_UNMAPS, 1);
	return 0;
}

/* How many bytes of a window its file has, in whole pages of the host. */
static uint64_t present(const struct window *window)
{
	const uint64_t page_size = sysconf(_SC_PAGESIZE);
	struct stat info;
	uint64_t size;

	if (fstat(window->fd, &info))
		return 0;
	size = ((uint64_t)info.st_size + page_size - 1) & -page_size;
	return size < window->memory.size ? size : window->memory.size;
}

static void window_map(struct windows *windows, struct window *window, uint64_t address)
{
	const uint64_t size = present(window);
	int err;

	/* The guest has put one BAR over another: the one that was first stays. */
	if (!size || window->mapped || overlaps_mapped(windows, window, address))
		return;
	err = windows->mapper.map(windows->mapper.vm, number_of(window), address,
				  window->memory.host, size);
	if (err) {
		complain(windows, window, "map", err);
		return;
	}
	window->mapped = size;
	window->address = address;
	stat_add(STAT_WINDOW_MAPS, 1);
}

/* Whether the BAR of a window answers, and where. */
static bool wanted_at(struct windows *windows, struct window *window, uint64_t *address)
{
	const struct pci_function *bridge = &windows->port[number_of(window)].pci;

	return exists(window) && bridge->child == &window->pci &&
	       pci_bar_address(windows->host, bridge, &window->pci, BAR, address);
}

/*
 * Have the memory of each window where its BAR answers: first take away what is elsewhere, as
 * two windows may have changed places.
 */
static void update(void *opaque)
{
	struct windows *windows = opaque;
	uint64_t address;
	unsigned int i;

	for (i = 0; i < WINDOW_SLOTS; i++) {
		struct window *window = &windows->window[i];

		if (!wanted_at(windows, window, &address) || address != window->address)
			window_unmap(windows, window);
	}
	for (i = 0; i < WINDOW_SLOTS; i++) {
		struct window *window = &windows->window[i];

		if (wanted_at(windows, window, &address))
			window_map(windows, window, address);
	}
}

static uint64_t bar_read(struct pci_function *function, unsigned int bar, uint32_t offset,
			 unsigned int length)
{
	const struct window *window = container_of_window(function);
	uint64_t value = 0;

	(void)bar;
	if (guest_memory_read(&window->memory, offset, &value, length))
		return ~0ULL;
	return le64toh(value);
}

static void bar_write(struct pci_function *function, unsigned int bar, uint32_t offset,
		      unsigned int length, uint64_t value)
{
	const struct window *window = container_of_window(function);
	const uint64_t bytes = htole64(value);

	(void)bar;
	guest_memory_write(&window->memory, offset, &bytes, length);
}

static void config_written(struct pci_function *function, unsigned int offset,
			   unsigned int length)
{
	(void)offset;
	(void)length;
	update(container_of_window(function)->owner);
}

static const struct pci_function_ops window_ops = {
	.bar_read = bar_read,
	.bar_write = bar_write,
	.config_written = config_written,
};

int windows_init(struct windows *windows, struct pci_host *host,
		 const struct window_mapper *mapper)
{
	unsigned int i;
	int err;

	windows->host = host;
	windows->mapper = *mapper;
	windows->complaints = 0;
	windows->repairs = 0;
	for (i = 0; i < WINDOW_SLOTS; i++) {
		struct root_port *port = &windows->port[i];

		memset(&windows->window[i], 0, sizeof(windows->window[i]));
		windows->window[i].owner = windows;
		port->written = update;
		port->owner = windows;
		err = root_port_init(port, i + 1);
		if (!err)
			err = pci_host_plug(host, WINDOW_FIRST_PORT + i, &port->pci);
		if (err)
			return err;
	}
	return 0;
}

static int check_file(int fd, uint64_t size, const char **why)
{
	struct stat info;

	if (fstat(fd, &info))
		return -errno;
	if (!S_ISREG(info.st_mode)) {
		*why = "not a regular file";
		return -EINVAL;
	}
	if ((uint64_t)info.st_size < size) {
		*why = "the file is shorter than the window";
		return -EINVAL;
	}
	if (size % sysconf(_SC_PAGESIZE)) {
		*why = "the window is smaller than a page of the host";
		return -EINVAL;
	}
	return 0;
}

/* Map a file at a multiple of 2 MiB, so that a huge page of it can be one for the guest, too. */
static int map_file(int fd, uint64_t size, uint8_t **memory)
{
	uint8_t *area, *start;

	area = mmap(NULL, size + HUGE_PAGE_SIZE, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (area == MAP_FAILED)
		return -errno;
	start = area + (-(uintptr_t)area & (HUGE_PAGE_SIZE - 1));
	*memory = mmap(start, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
	if (*memory == MAP_FAILED) {
		int err = -errno;

		munmap(area, size + HUGE_PAGE_SIZE);
		return err;
	}
	/* A kernel without huge pages refuses this; the memory works nevertheless. */
	madvise(start, size, MADV_HUGEPAGE);
	if (start > area)
		munmap(area, start - area);
	if (start + size < area + size + HUGE_PAGE_SIZE)
		munmap(start + size, area + HUGE_PAGE_SIZE - start);
	return 0;
}

/* Returns the open file, or a negative errno. */
static int open_file(const char *path, uint64_t size, uint8_t **memory, const char **why)
{
	int fd, err;

	/* O_NONBLOCK: the open of a FIFO would wait for its other end. */
	fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	err = check_file(fd, size, why);
	if (!err)
		err = map_file(fd, size, memory);
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* Find the slot for a new window, or say why there is none. */
static int choose_slot(const struct windows *windows, unsigned int slot, const char **why)
{
	unsigned int i;

	if (slot > WINDOW_SLOTS) {
		*why = "there is no such slot";
		return -EINVAL;
	}
	if (slot != WINDOW_ANY_SLOT) {
		if (!exists(&windows->window[slot - 1]))
			return slot;
		*why = "the slot is in use";
		return -EEXIST;
	}
	for (i = 0; i < WINDOW_SLOTS; i++) {
		if (!exists(&windows->window[i]))
			return i + 1;
	}
	*why = "all slots are in use";
	return -ENOSPC;
}

static void plug(struct windows *windows, unsigned int number, char *path, int fd,
		 uint8_t *memory, uint64_t size)
{
	static const struct pci_ids ids = {
		.vendor = PCI_VENDOR_ID_REDHAT_QUMRANET,
		.device = DEVICE_IVSHMEM,
		.subsystem_vendor = PCI_VENDOR_ID_REDHAT_QUMRANET,
		.subsystem = SUBSYSTEM_ID,
		.class = CLASS_MEMORY_RAM,
		.revision = REVISION,
	};
	struct window *window = &windows->window[number];

	pci_function_init(&window->pci, &ids, &window_ops);
	/* It has no interrupt, so that its line is never set. */
	window->pci.config[PCI_INTERRUPT_PIN] = 0;
	pci_function_add_wide_bar(&window->pci, BAR, size);
	window->path = path;
	window->fd = fd;
	window->memory.base = 0;
	window->memory.host = memory;
	window->memory.size = size;
	root_port_plug(&windows->port[number], &window->pci);
	stat_add(STAT_WINDOWS_ADDED, 1);
}

int windows_add(struct windows *windows, const char *path, uint64_t size, unsigned int slot,
		const char **why)
{
	uint8_t *memory;
	int fd, found;
	char *copy;

	*why = NULL;
	fd = open_file(path, size, &memory, why);
	if (fd < 0)
		return fd;
	copy = strdup(path);
	if (!copy) {
		munmap(memory, size);
		close(fd);
		return -ENOMEM;
	}

	pthread_mutex_lock(&windows->host->lock);
	found = choose_slot(windows, slot, why);
	if (found > 0)
		plug(windows, found - 1, copy, fd, memory, size);
	pthread_mutex_unlock(&windows->host->lock);
	if (found < 0) {
		munmap(memory, size);
		close(fd);
		free(copy);
	}
	return found;
}

static void let_go(struct window *window)
{
	guest_memory_destroy(&window->memory);
	close(window->fd);
	free(window->path);
	window->path = NULL;
}

int windows_remove(struct windows *windows, unsigned int slot)
{
	struct window *window;
	int err;

	if (!slot || slot > WINDOW_SLOTS)
		return -ENOENT;
	window = &windows->window[slot - 1];
	pthread_mutex_lock(&windows->host->lock);
	err = exists(window) ? window_unmap(windows, window) : -ENOENT;
	if (!err) {
		root_port_plug(&windows->port[slot - 1], NULL);
		let_go(window);
		/* Where it was, another window may have waited. */
		update(windows);
		stat_add(STAT_WINDOWS_REMOVED, 1);
	}
	pthread_mutex_unlock(&windows->host->lock);
	return err;
}

int windows_get(struct windows *windows, unsigned int slot, struct window_info *info)
{
	const struct window *window;
	int err = 0;

	if (!slot || slot > WINDOW_SLOTS)
		return -ENOENT;
	window = &windows->window[slot - 1];
	pthread_mutex_lock(&windows->host->lock);
	if (exists(window)) {
		info->size = window->memory.size;
		info->mapped = window->mapped;
		info->address = window->address;
		info->path = strdup(window->path);
		if (!info->path)
			err = -ENOMEM;
	} else {
		err = -ENOENT;
	}
	pthread_mutex_unlock(&windows->host->lock);
	return err;
}

bool windows_repair(struct windows *windows, unsigned int *seen)
{
	unsigned int i, repairs;
	bool found = false;

	pthread_mutex_lock(&windows->host->lock);
	for (i = 0; i < WINDOW_SLOTS; i++) {
		struct window *window = &windows->window[i];

		if (!window->mapped || present(window) >= window->mapped)
			continue;
		if (window_unmap(windows, window))
			continue;
		if (windows->complaints++ < MAX_COMPLAINTS)
			log_warn("window in slot %u: its file has become shorter", i + 1);
		found = true;
	}
	if (found) {
		update(windows);
		windows->repairs++;
	}
	repairs = windows->repairs;
	pthread_mutex_unlock(&windows->host->lock);

	found = repairs != *seen;
	*seen = repairs;
	return found;
}

void windows_destroy(struct windows *windows)
{
	unsigned int i;

	for (i = 0; i < WINDOW_SLOTS; i++) {
		if (exists(&windows->window[i]))
			let_go(&windows->window[i]);
	}
}
