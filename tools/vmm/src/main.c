// SPDX-License-Identifier: GPL-2.0-only
/*
 * Builds the machine, runs it, and destroys it. Rule: whatever fails, what exists is destroyed
 * and the exit status is one of options.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "bus.h"
#include "commands.h"
#include "console.h"
#include "ctl.h"
#include "devtree.h"
#include "layout.h"
#include "loader.h"
#include "log.h"
#include "memory.h"
#include "options.h"
#include "pci.h"
#include "run.h"
#include "stats.h"
#include "uart.h"
#include "vcpu.h"
#include "virtio_balloon.h"
#include "virtio_blk.h"
#include "vm.h"
#include "window.h"

#define MIB		(1024 * 1024UL)
#define DISK_SLOT	1
#define BALLOON_SLOT	2
/* The device tree has 32 bits for address and size of the kernel. */
#define KERNEL_MAX_SIZE	(0xffffffffUL - KERNEL_BASE)
#define INITRD_ALIGN	0x200000UL

struct machine {
	struct vm vm;
	struct guest_memory memory;
	struct vcpu vcpus[MAX_VCPUS];
	unsigned int nr_vcpus;
	struct bus bus;
	struct uart uart;
	struct pci_host pci;
	struct virtio_blk disk;
	bool has_disk;
	struct virtio_balloon balloon;
	/* There are root ports for windows. */
	bool has_windows;
	struct windows windows;
	struct control control;
	struct command_target target;
	uint64_t entry;
	uint64_t fdt;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static int check_host_memory(uint64_t wanted)
{
	long pages = sysconf(_SC_PHYS_PAGES);
	long page_size = sysconf(_SC_PAGESIZE);
	uint64_t total;

	if (pages <= 0 || page_size <= 0) {
		log_err("cannot find out how much memory the host has");
		return -EIO;
	}
	total = (uint64_t)pages * page_size;
	if (wanted > total) {
		log_err("--mem %lu: the host has only %lu MiB",
			wanted / MIB, total / MIB);
		return -ENOMEM;
	}
	return 0;
}

/* Open closed standard streams, or the next file would get one of their numbers. */
static int reserve_standard_streams(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (open("/dev/null", O_RDWR) != fd)
			return -EBADF;
	}
	return 0;
}

static void uart_transmit(void *unused, uint8_t byte)
{
	(void)unused;
	console_write(byte, run_stopping);
}

static int load_kernel_and_initrd(struct machine *machine, const struct options *options,
				  struct devtree_config *config)
{
	uint64_t end = machine->fdt;
	struct image image;
	uint64_t address, room;
	int err;

	if (config->dma_pool_address)
		end = config->dma_pool_address;
	room = end - KERNEL_BASE;
	if (room > KERNEL_MAX_SIZE)
		room = KERNEL_MAX_SIZE;
	err = load_kernel(&machine->memory, options->kernel, KERNEL_BASE, room, &image);
	if (err)
		return err;
	config->kernel_address = image.address;
	config->kernel_size = image.size;
	machine->entry = image.address;
	if (!options->initrd)
		return 0;

	address = (image.address + image.footprint + INITRD_ALIGN - 1) & ~(INITRD_ALIGN - 1);
	err = load_file(&machine->memory, "initrd", options->initrd, address,
			address < end ? end - address : 0, &image);
	if (err)
		return err;
	config->initrd_address = image.address;
	config->initrd_size = image.size;
	return 0;
}

static int load_images(struct machine *machine, const struct options *options,
		       struct devtree_config *config)
{
	struct image image;
	int err;

	if (options->bare) {
		machine->entry = BARE_BASE;
		return load_file(&machine->memory, "program", options->bare, BARE_BASE,
				 machine->fdt > BARE_BASE ? machine->fdt - BARE_BASE : 0, &image);
	}
	if (options->kernel) {
		err = load_kernel_and_initrd(machine, options, config);
		if (err)
			return err;
	}
	/* The hypervisor overwrites these pages with the host's firmware. */
	if (options->host_firmware)
		machine->entry = options->firmware_address;
	if (options->firmware) {
		machine->entry = options->firmware_address;
		return load_file(&machine->memory, "firmware", options->firmware,
				 options->firmware_address, FIRMWARE_MAX_SIZE, &image);
	}
	return 0;
}

/* Only a kernel uses the seeds. Runs without a kernel are reproducible. */
static int make_seeds(struct devtree_config *config)
{
	ssize_t seed_size = sizeof(config->seed);
	ssize_t kaslr_size = sizeof(config->kaslr_seed);

	if (getrandom(config->seed, seed_size, 0) != seed_size ||
	    getrandom(&config->kaslr_seed, kaslr_size, 0) != kaslr_size) {
		log_err("cannot get random numbers for the guest: %s", strerror(errno));
		return -EIO;
	}
	config->has_seed = true;
	return 0;
}

static int load_devtree(struct machine *machine, struct devtree_config *config)
{
	void *buffer;
	int size, err;

	buffer = calloc(1, FDT_MAX_SIZE);
	if (!buffer) {
		log_err("device tree: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	size = devtree_build(config, buffer, FDT_MAX_SIZE);
	if (size < 0) {
		log_err("device tree: larger than %lu bytes", FDT_MAX_SIZE);
		err = size;
	} else {
		err = guest_memory_write(&machine->memory, machine->fdt, buffer, size);
		if (err)
			log_err("device tree: %s", strerror(-err));
	}
	free(buffer);
	return err;
}

/* Bit n is set if slot n of bus 0 has a device. */
static uint32_t used_slots(const struct machine *machine, const struct options *options)
{
	uint32_t slots = 0;

	if (machine->has_disk)
		slots |= 1U << DISK_SLOT;
	if (options->balloon)
		slots |= 1U << BALLOON_SLOT;
	if (machine->has_windows)
		slots |= ((1U << WINDOW_SLOTS) - 1) << WINDOW_FIRST_PORT;
	return slots;
}

static int build_memory(struct machine *machine, const struct options *options)
{
	const uint64_t base = options->firmware || options->host_firmware ?
		options->firmware_address : RAM_BASE;
	const uint64_t end = RAM_BASE + options->memory_size, size = end - base;
	struct devtree_config config = {
		.memory_base = base,
		.memory_size = size,
		.nr_vcpus = options->nr_vcpus,
		.cmdline = options->cmdline,
		.dma_pool_size = options->dma_pool_size,
		.dma_pool_address = options->dma_pool_fixed ?
			FDT_BASE(options->memory_size) - options->dma_pool_size : 0,
		.pci_slots = used_slots(machine, options),
		.last_bus = machine->has_windows ? WINDOW_SLOTS : 0,
	};
	int err;

	err = check_host_memory(options->memory_size);
	if (err)
		return err;
	err = guest_memory_guard();
	if (!err)
		err = guest_memory_init(&machine->memory, base, size);
	if (err) {
		log_err("%lu MiB of guest memory: %s", size / MIB, strerror(-err));
		return err;
	}
	if (options->balloon)
		guest_memory_use_small_pages(&machine->memory);
	stat_add(STAT_MEMORY_BYTES, size);

	machine->fdt = FDT_BASE(options->memory_size);
	err = load_images(machine, options, &config);
	if (!err && options->kernel)
		err = make_seeds(&config);
	if (!err)
		err = load_devtree(machine, &config);
	return err;
}

static struct irq_line interrupt_line(struct machine *machine, unsigned int spi)
{
	return (struct irq_line) {
		.set = vm_set_irq,
		.controller = &machine->vm,
		.spi = spi,
	};
}

static int plug_disk(struct machine *machine)
{
	struct virtio_pci *virtio = &machine->disk.virtio;
	int err;

	virtio->pci.irq = interrupt_line(machine, PCI_SPI_BASE + DISK_SLOT);
	err = virtio_blk_init(&machine->disk, &machine->memory);
	if (!err)
		err = pci_host_plug(&machine->pci, DISK_SLOT, &virtio->pci);
	if (err)
		log_err("disk: %s", strerror(-err));
	return err;
}

static int plug_balloon(struct machine *machine, const struct options *options)
{
	struct virtio_pci *virtio = &machine->balloon.virtio;
	int err;

	virtio->pci.irq = interrupt_line(machine, PCI_SPI_BASE + BALLOON_SLOT);
	err = virtio_balloon_init(&machine->balloon, &machine->memory, &machine->pci,
				  options->balloon_target, options->protected_vm);
	if (!err)
		err = pci_host_plug(&machine->pci, BALLOON_SLOT, &virtio->pci);
	if (err)
		log_err("balloon: %s", strerror(-err));
	return err;
}

static int build_windows(struct machine *machine, const struct options *options)
{
	const struct window_mapper mapper = {
		.map = vm_map_window,
		.unmap = vm_unmap_window,
		.vm = &machine->vm,
	};
	const char *why;
	unsigned int i;
	int err;

	for (i = 0; i < WINDOW_SLOTS; i++)
		machine->windows.port[i].pci.irq =
			interrupt_line(machine, PCI_SPI_BASE + WINDOW_FIRST_PORT + i);
	err = windows_init(&machine->windows, &machine->pci, &mapper);
	if (err) {
		log_err("root ports: %s", strerror(-err));
		return err;
	}
	for (i = 0; i < options->nr_windows; i++) {
		err = windows_add(&machine->windows, options->windows[i].path,
				  options->windows[i].size, WINDOW_ANY_SLOT, &why);
		if (err < 0) {
			log_err("--window %s: %s", options->windows[i].path,
				why ? why : strerror(-err));
			return err;
		}
	}
	return 0;
}

static int build_devices(struct machine *machine, const struct options *options)
{
	const uint64_t end = RAM_BASE + options->memory_size;
	const uint64_t high_base = end <= PCI_HIGH_END - PCI_HIGH_SIZE ? end : 0;
	const struct bus_range ranges[] = {
		{ UART_BASE, UART_SIZE, uart_read, uart_write, &machine->uart },
		{ PCI_CAM_BASE, PCI_CAM_SIZE, pci_config_read, pci_config_write, &machine->pci },
		{ PCI_MMIO_BASE, PCI_MMIO_SIZE, pci_memory_read, pci_memory_write, &machine->pci },
		{ high_base, PCI_HIGH_SIZE, pci_high_read, pci_high_write, &machine->pci },
	};
	const unsigned int nr_ranges = sizeof(ranges) / sizeof(*ranges) - !high_base;
	unsigned int i;
	int err = 0;

	machine->uart.irq = interrupt_line(machine, UART_SPI);
	machine->uart.transmit = uart_transmit;
	machine->uart.drained = run_wake_input;
	uart_init(&machine->uart);

	pci_host_init(&machine->pci, high_base);
	if (machine->has_disk)
		err = plug_disk(machine);
	if (!err && options->balloon)
		err = plug_balloon(machine, options);
	if (err)
		return err;

	if (machine->has_windows) {
		err = build_windows(machine, options);
		if (err)
			return err;
	}

	for (i = 0; i < nr_ranges; i++) {
		err = bus_add(&machine->bus, &ranges[i]);
		if (err) {
			log_err("device at %#lx: %s", ranges[i].base, strerror(-err));
			return err;
		}
	}
	return 0;
}

static int build_vcpus(struct machine *machine, unsigned int nr_vcpus)
{
	int err;

	while (machine->nr_vcpus < nr_vcpus) {
		unsigned int index = machine->nr_vcpus++;

		err = vcpu_create(&machine->vcpus[index], &machine->vm, index);
		if (err)
			return err;
		if (machine->has_windows)
			machine->vcpus[index].windows = &machine->windows;
	}
	return vcpu_set_entry(&machine->vcpus[0], machine->entry, machine->fdt);
}

static int build_machine(struct machine *machine, const struct options *options)
{
	int err;

	if (options->disk) {
		err = virtio_blk_open(&machine->disk, options->disk, options->disk_read_only);
		if (err)
			return err;
		machine->has_disk = true;
	}
	err = vm_create(&machine->vm, options->protected_vm);
	if (!err && options->nr_windows && !machine->vm.has_windows) {
		log_err("--window: protected VMs of this host cannot have windows");
		err = -ENODEV;
	}
	machine->has_windows = machine->vm.has_windows &&
			       (options->nr_windows || options->control);
	if (!err)
		err = build_memory(machine, options);
	if (!err)
		err = vm_choose_features(&machine->vm,
					 options->cpu_features_given ? options->cpu_features :
					 CPU_FEATURE_SVE | CPU_FEATURE_PAUTH,
					 options->cpu_features_given);
	if (!err && options->host_firmware)
		err = vm_load_firmware(&machine->vm, options->firmware_address,
				       FIRMWARE_MAX_SIZE);
	if (!err)
		err = vm_map_memory(&machine->vm, &machine->memory);
	if (!err)
		err = build_vcpus(machine, options->nr_vcpus);
	if (!err)
		err = vm_create_gic(&machine->vm, options->nr_vcpus);
	if (!err)
		err = build_devices(machine, options);
	return err;
}

/*
 * The last close() drops the last reference to the VM, and the host destroys the VM during that
 * call: the time that this takes is counted.
 */
static int destroy_machine(struct machine *machine)
{
	uint64_t start = now_ns();
	unsigned int i;
	int err = 0;

	for (i = 0; i < machine->nr_vcpus; i++)
		vcpu_destroy(&machine->vcpus[i]);
	vm_destroy(&machine->vm);
	stat_add(STAT_TEARDOWN_NS, now_ns() - start);

	windows_destroy(&machine->windows);
	if (machine->memory.host)
		guest_memory_destroy(&machine->memory);
	if (machine->has_disk)
		err = virtio_blk_close(&machine->disk);
	return err;
}

/* Run the machine; commands of the control socket change it as long as it runs. */
static int run_controlled(struct machine *machine, const struct options *options)
{
	const struct run_config config = {
		.vcpus = machine->vcpus,
		.nr_vcpus = machine->nr_vcpus,
		.bus = &machine->bus,
		.uart = &machine->uart,
		.timeout = options->timeout,
	};
	uint64_t start;
	int status;

	machine->target = (struct command_target) {
		.protected_vm = options->protected_vm,
		.nr_vcpus = options->nr_vcpus,
		.memory_size = options->memory_size,
		.windows = machine->has_windows ? &machine->windows : NULL,
		.balloon = options->balloon ? &machine->balloon : NULL,
	};
	if (options->control &&
	    commands_serve(&machine->control, options->control, &machine->target))
		return EXIT_VMM_ERROR;
	start = now_ns();
	status = run_machine(&config);
	stat_add(STAT_RUN_NS, now_ns() - start);
	if (options->control)
		control_stop(&machine->control);
	return status;
}

static int run_options(const struct options *options)
{
	static struct machine machine = {
		.vm = { .kvm_fd = -1, .fd = -1, .gic_fd = -1 },
	};
	int status = EXIT_VMM_ERROR;

	if (!build_machine(&machine, options))
		status = run_controlled(&machine, options);
	if (destroy_machine(&machine) && status == EXIT_GUEST_OFF)
		status = EXIT_VMM_ERROR;
	stat_add(STAT_EXIT_STATUS, status);
	return status;
}

static int run_with_stats(const struct options *options)
{
	FILE *file;
	int status, err;

	/* Open the file before the run, so that a bad path is found before the guest runs. */
	file = fopen(options->stats, "we");
	if (!file) {
		log_err("%s: %s", options->stats, strerror(errno));
		return EXIT_VMM_ERROR;
	}
	status = run_options(options);
	err = stats_write(file);
	if (fclose(file) && !err)
		err = -errno;
	if (err) {
		log_err("%s: %s", options->stats, strerror(-err));
		return status == EXIT_GUEST_OFF ? EXIT_VMM_ERROR : status;
	}
	return status;
}

int main(int argc, char **argv)
{
	struct options options;

	if (reserve_standard_streams())
		return EXIT_VMM_ERROR;
	if (argc > 1 && !strcmp(argv[1], "ctl"))
		return ctl_main(argc - 2, argv + 2);
	if (options_parse(&options, argc, argv))
		return EXIT_USAGE;
	if (options.help)
		return options_help() ? EXIT_VMM_ERROR : EXIT_GUEST_OFF;
	return options.stats ? run_with_stats(&options) : run_options(&options);
}
