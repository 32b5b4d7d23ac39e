/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command line, and the exit statuses that it promises.
 */
#ifndef VMM_OPTIONS_H
#define VMM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum exit_status {
	EXIT_GUEST_OFF		= 0,
	EXIT_VMM_ERROR		= 1,
	EXIT_USAGE		= 2,
	EXIT_GUEST_RESET	= 3,
	EXIT_TIMED_OUT		= 4,
	/* Plus the number of the signal that ended the run. */
	EXIT_SIGNAL_BASE	= 128,
};

/* What a vCPU may have beside what every one of its VM has. */
#define CPU_FEATURE_SVE		0x1
#define CPU_FEATURE_PAUTH	0x2

struct options {
	bool help;
	bool protected_vm;
	/* Bytes. */
	uint64_t memory_size;
	unsigned int nr_vcpus;
	/* CPU_FEATURE_*: what there must be, and no more, or else what there can be. */
	unsigned int cpu_features;
	bool cpu_features_given;
	const char *firmware;
	/* Where it lies, and up to RAM its memory. */
	uint64_t firmware_address;
	/* Instead: what the host's boot loader left and its hypervisor loads. */
	bool host_firmware;
	const char *kernel;
	const char *initrd;
	const char *cmdline;
	const char *bare;
	/* Bytes of the restricted DMA pool, 0 for none. */
	uint64_t dma_pool_size;
	/* The pool lies at the end of memory, and nowhere else. */
	bool dma_pool_fixed;
	char *disk;
	bool disk_read_only;
	const char *stats;
	/* Seconds, 0 for no limit. */
	unsigned int timeout;
};

/**
 * options_parse() - Read and check the command line.
 * @options: the result; its strings point into @argv
 * @argc: as main() got it
 * @argv: as main() got it; the argument of --disk is changed
 *
 * Says on standard error what is wrong.
 *
 * Return: 0, or -EINVAL.
 */
int options_parse(struct options *options, int argc, char **argv);

/**
 * options_help() - Print the manual to standard output.
 *
 * Return: 0, or -EIO if it could not be written.
 */
int options_help(void);

#endif /* VMM_OPTIONS_H */
