/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command line, and the exit statuses of the VMM.
 */
#ifndef VMM_OPTIONS_H
#define VMM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"

enum exit_status {
	EXIT_GUEST_OFF		= 0,
	EXIT_VMM_ERROR		= 1,
	EXIT_USAGE		= 2,
	EXIT_GUEST_RESET	= 3,
	EXIT_TIMED_OUT		= 4,
	/* The number of the signal that ended the run is added. */
	EXIT_SIGNAL_BASE	= 128,
};

/* Optional CPU features of vCPUs. */
#define CPU_FEATURE_SVE		0x1
#define CPU_FEATURE_PAUTH	0x2

/* The parsed command line. A pointer is NULL if the option was not given. */
struct options {
	bool help;
	bool protected_vm;
	/* Bytes. */
	uint64_t memory_size;
	unsigned int nr_vcpus;
	/* If given: CPU_FEATURE_* that the vCPUs must have, and no others. */
	unsigned int cpu_features;
	bool cpu_features_given;
	const char *firmware;
	/* Guest physical address; the firmware's memory reaches from there to RAM. */
	uint64_t firmware_address;
	/* The hypervisor loads the firmware that the host's boot loader left. */
	bool host_firmware;
	const char *kernel;
	const char *initrd;
	const char *cmdline;
	const char *bare;
	/* Bytes of the restricted DMA pool, 0 for none. */
	uint64_t dma_pool_size;
	/* The pool lies at the end of memory, before the device tree; else the guest places it. */
	bool dma_pool_fixed;
	char *disk;
	bool disk_read_only;
	/* There is a balloon; bytes that the guest is to put into it. */
	bool balloon;
	uint64_t balloon_target;
	/* Windows that are there from the start. */
	unsigned int nr_windows;
	struct {
		const char *path;
		/* Bytes. */
		uint64_t size;
	} windows[WINDOW_SLOTS];
	/* Name of the control socket. */
	const char *control;
	const char *stats;
	/* Seconds, 0 for no limit. */
	unsigned int timeout;
};

/**
 * options_parse() - Read and check the command line.
 * @options: filled in; its strings point into @argv
 * @argc: from main()
 * @argv: from main(); the arguments of --disk and --window are changed
 *
 * Prints every error on standard error.
 *
 * Return: 0; -EINVAL for an unknown, repeated, missing or invalid option or argument, or an
 * invalid combination.
 */
int options_parse(struct options *options, int argc, char **argv);

/**
 * options_help() - Print the help text on standard output.
 *
 * Return: 0, or -EIO if it could not be written.
 */
int options_help(void);

#endif /* VMM_OPTIONS_H */
