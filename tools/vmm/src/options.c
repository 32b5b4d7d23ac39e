// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line (options.h). Rule: an option is checked here if that needs neither the host
 * nor a file, else where it is used.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "layout.h"
#include "log.h"
#include "options.h"
#include "window.h"

#define MIB			(1024 * 1024UL)
#define DEFAULT_MEMORY_MIB	256
#define MIN_MEMORY_MIB		4
/* Memory ends below 2^40, the default IPA size of KVM. */
#define MAX_MEMORY_MIB		((1UL << 40) / MIB - RAM_BASE / MIB)
#define MAX_TIMEOUT		(366 * 24 * 3600U)
#define READ_ONLY_SUFFIX	",ro"
#define SIZE_SUFFIX		",size="
/* Enough for a disk and many processors. A guest shares all of it at boot. */
#define DEFAULT_POOL_MIB	16
/* As much as firmware without a kernel uses. */
#define FIRMWARE_POOL_MIB	2

static const char help_text[] =
"Usage: vmm [OPTION]... (--firmware FILE | --host-firmware | --kernel FILE |\n"
"                        --bare FILE)\n"
"       vmm ctl PATH COMMAND [ARGUMENT]...\n"
"Run a virtual machine, protected or not, on the KVM of an arm64 host.\n"
"\n"
"What runs:\n"
"  --firmware FILE   raw firmware image of at most 2 MiB, loaded at 0x7fc00000, where\n"
"                    vCPU 0 starts with x0 = device tree\n"
"  --firmware-at IPA load the firmware at another address, a multiple of 2 MiB below\n"
"                    0x80000000 (0x7fe00000 for crosvm's firmware of 2022); its\n"
"                    memory reaches from there to 0x80000000\n"
"  --host-firmware   instead of --firmware, let the hypervisor load the firmware that\n"
"                    the host's boot loader left in memory; needs --protected\n"
"  --kernel FILE     uncompressed arm64 Image, named to the firmware by /config in the\n"
"                    device tree; without firmware, vCPU 0 starts in it\n"
"  --initrd FILE     initial RAM disk of the kernel, named in /chosen\n"
"  --cmdline STRING  command line, passed as bootargs in /chosen\n"
"  --bare FILE       flat binary, loaded at 0x80200000, where vCPU 0 starts with\n"
"                    x0 = device tree; not with --firmware, --kernel or --initrd\n"
"\n"
"The machine:\n"
"  --protected       make a protected VM: the host can access only the pages that the\n"
"                    guest shares; the host must be booted with kvm-arm.mode=protected\n"
"  --mem MIB         memory in MiB, from 0x80000000 on (default 256, at least 4)\n"
"  --cpus N          number of vCPUs, 1 to 8 (default 1)\n"
"  --cpu-features LIST\n"
"                    CPU features that the vCPUs must have: 'sve' and 'pauth' (pointer\n"
"                    authentication), separated by commas, or 'none' (default: those\n"
"                    of the two that the VM can have)\n"
"  --swiotlb MIB     size of the restricted DMA pool that the device tree gives to PCI\n"
"                    devices, 0 for none (default 16 with --kernel and --protected or\n"
"                    --firmware, 2 with --firmware alone, else 0); with --firmware and\n"
"                    without --protected, the pool lies at the end of memory\n"
"  --disk FILE[,ro]  virtio block device backed by a file or a block device, whose size\n"
"                    is a multiple of 512 bytes; ',ro' makes it read-only\n"
"  --balloon MIB     virtio balloon, by which the guest gives this much memory back to\n"
"                    the host, and its free pages; 0 for free pages alone\n"
"  --window FILE,size=SIZE\n"
"                    PCI function (ivshmem) with the first SIZE bytes of FILE as its\n"
"                    memory; SIZE is a power of two from 4K to 1G; up to 8 times\n"
"\n"
"The run:\n"
"  --control PATH    make a socket by which 'vmm ctl PATH COMMAND' changes the machine\n"
"                    while it runs; 'vmm ctl PATH help' prints the commands\n"
"  --stats FILE      write counters as 'key value' lines when the run ends\n"
"  --timeout SEC     end the run after this many seconds\n"
"  --help            print this text\n"
"\n"
"The guest's 16550 UART at 0x3f8 is connected to standard input and output. If input\n"
"is a terminal, Ctrl-C ends the run. The VMM prints its messages on standard error.\n"
"\n"
"The pages that a protected guest uses are locked in memory and count against\n"
"RLIMIT_MEMLOCK (ulimit -l), unless the caller has CAP_IPC_LOCK.\n"
"\n"
"Exit status:\n"
"  0      the guest powered off\n"
"  1      the VMM or KVM failed\n"
"  2      the command line is wrong\n"
"  3      the guest requested a reset\n"
"  4      the time limit was reached\n"
"  128+N  signal N (HUP, INT or TERM) ended the run\n";

int options_help(void)
{
	return fputs(help_text, stdout) < 0 || fflush(stdout) ? -EIO : 0;
}

/* Parse a decimal number from @min to @max. */
static int parse_number(const char *option, const char *text, unsigned long min,
			unsigned long max, unsigned long *value)
{
	char *end;

	/* On overflow strtoul() returns ULONG_MAX, which exceeds every @max. */
	*value = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || *end) {
		log_err("%s: '%s' is not a number", option, text);
		return -EINVAL;
	}
	if (*value < min || *value > max) {
		log_err("%s: %s is not from %lu to %lu", option, text, min, max);
		return -EINVAL;
	}
	return 0;
}

/* Parse the address of the firmware, which lies above all devices and below RAM. */
static int parse_address(const char *option, const char *text, uint64_t *address)
{
	char *end;

	*address = strtoul(text, &end, 0);
	if (!isdigit((unsigned char)text[0]) || *end) {
		log_err("%s: '%s' is not an address", option, text);
		return -EINVAL;
	}
	if (*address < FIRMWARE_MIN_BASE || *address >= RAM_BASE || *address % FIRMWARE_ALIGN) {
		log_err("%s: %s is not a multiple of 2 MiB from %#lx to %#lx", option, text,
			FIRMWARE_MIN_BASE, RAM_BASE - FIRMWARE_ALIGN);
		return -EINVAL;
	}
	return 0;
}

static int parse_disk(struct options *options, char *argument)
{
	size_t length = strlen(argument);
	size_t suffix = strlen(READ_ONLY_SUFFIX);

	options->disk_read_only = length >= suffix &&
				  !strcmp(argument + length - suffix, READ_ONLY_SUFFIX);
	if (options->disk_read_only)
		argument[length - suffix] = '\0';
	if (!*argument) {
		log_err("--disk: no file given");
		return -EINVAL;
	}
	options->disk = argument;
	return 0;
}

static int parse_window(struct options *options, char *argument)
{
	char *suffix = NULL, *at = argument;
	uint64_t size;

	/* The name of the file may have the same text. */
	while ((at = strstr(at, SIZE_SUFFIX)))
		suffix = at++;
	if (!suffix || suffix == argument) {
		log_err("--window: '%s' is not FILE,size=SIZE", argument);
		return -EINVAL;
	}
	if (window_parse_size(suffix + strlen(SIZE_SUFFIX), &size)) {
		log_err("--window: size '%s' is not a power of two from 4K to 1G",
			suffix + strlen(SIZE_SUFFIX));
		return -EINVAL;
	}
	if (options->nr_windows == WINDOW_SLOTS) {
		log_err("--window: given more than %d times", WINDOW_SLOTS);
		return -EINVAL;
	}
	*suffix = '\0';
	options->windows[options->nr_windows].path = argument;
	options->windows[options->nr_windows].size = size;
	options->nr_windows++;
	return 0;
}

static int parse_socket(struct options *options, const char *argument)
{
	const size_t room = sizeof(((struct sockaddr_un *)NULL)->sun_path);

	if (!*argument || strlen(argument) >= room) {
		log_err("--control: the name of a socket has 1 to %zu bytes", room - 1);
		return -EINVAL;
	}
	options->control = argument;
	return 0;
}

static int parse_cpu_features(struct options *options, const char *argument)
{
	static const struct {
		const char *name;
		unsigned int bit;
	} features[] = {
		{ "sve", CPU_FEATURE_SVE },
		{ "pauth", CPU_FEATURE_PAUTH },
	};
	const char *name = argument;
	size_t length, i;

	options->cpu_features_given = true;
	if (!strcmp(argument, "none"))
		return 0;

	for (;; name += length + 1) {
		length = strcspn(name, ",");
		for (i = 0; i < sizeof(features) / sizeof(*features); i++) {
			if (strlen(features[i].name) == length &&
			    !strncmp(name, features[i].name, length))
				break;
		}
		if (i == sizeof(features) / sizeof(*features)) {
			log_err("--cpu-features: unknown feature '%.*s' (try --help)", (int)length,
				name);
			return -EINVAL;
		}
		options->cpu_features |= features[i].bit;
		if (!name[length])
			return 0;
	}
}

enum {
	OPT_PROTECTED = 1,
	OPT_MEM,
	OPT_CPUS,
	OPT_CPU_FEATURES,
	OPT_FIRMWARE,
	OPT_FIRMWARE_AT,
	OPT_HOST_FIRMWARE,
	OPT_KERNEL,
	OPT_INITRD,
	OPT_CMDLINE,
	OPT_BARE,
	OPT_SWIOTLB,
	OPT_DISK,
	OPT_BALLOON,
	OPT_WINDOW,
	OPT_CONTROL,
	OPT_STATS,
	OPT_TIMEOUT,
	OPT_HELP,
	NR_OPTS,
};

static const struct option long_options[] = {
	{ "protected",	no_argument,		NULL, OPT_PROTECTED },
	{ "mem",	required_argument,	NULL, OPT_MEM },
	{ "cpus",	required_argument,	NULL, OPT_CPUS },
	{ "cpu-features", required_argument,	NULL, OPT_CPU_FEATURES },
	{ "firmware",	required_argument,	NULL, OPT_FIRMWARE },
	{ "firmware-at", required_argument,	NULL, OPT_FIRMWARE_AT },
	{ "host-firmware", no_argument,		NULL, OPT_HOST_FIRMWARE },
	{ "kernel",	required_argument,	NULL, OPT_KERNEL },
	{ "initrd",	required_argument,	NULL, OPT_INITRD },
	{ "cmdline",	required_argument,	NULL, OPT_CMDLINE },
	{ "bare",	required_argument,	NULL, OPT_BARE },
	{ "swiotlb",	required_argument,	NULL, OPT_SWIOTLB },
	{ "disk",	required_argument,	NULL, OPT_DISK },
	{ "balloon",	required_argument,	NULL, OPT_BALLOON },
	{ "window",	required_argument,	NULL, OPT_WINDOW },
	{ "control",	required_argument,	NULL, OPT_CONTROL },
	{ "stats",	required_argument,	NULL, OPT_STATS },
	{ "timeout",	required_argument,	NULL, OPT_TIMEOUT },
	{ "help",	no_argument,		NULL, OPT_HELP },
	{ }
};

static int parse_option(struct options *options, int option, char *argument)
{
	unsigned long number;
	int err;

	switch (option) {
	case OPT_PROTECTED:
		options->protected_vm = true;
		return 0;
	case OPT_MEM:
		err = parse_number("--mem", argument, MIN_MEMORY_MIB, MAX_MEMORY_MIB, &number);
		if (!err)
			options->memory_size = number * MIB;
		return err;
	case OPT_CPUS:
		err = parse_number("--cpus", argument, 1, MAX_VCPUS, &number);
		if (!err)
			options->nr_vcpus = number;
		return err;
	case OPT_CPU_FEATURES:
		return parse_cpu_features(options, argument);
	case OPT_FIRMWARE:
		options->firmware = argument;
		return 0;
	case OPT_FIRMWARE_AT:
		return parse_address("--firmware-at", argument, &options->firmware_address);
	case OPT_HOST_FIRMWARE:
		options->host_firmware = true;
		return 0;
	case OPT_KERNEL:
		options->kernel = argument;
		return 0;
	case OPT_INITRD:
		options->initrd = argument;
		return 0;
	case OPT_CMDLINE:
		options->cmdline = argument;
		return 0;
	case OPT_BARE:
		options->bare = argument;
		return 0;
	case OPT_SWIOTLB:
		err = parse_number("--swiotlb", argument, 0, MAX_MEMORY_MIB, &number);
		if (!err)
			options->dma_pool_size = number * MIB;
		return err;
	case OPT_DISK:
		return parse_disk(options, argument);
	case OPT_BALLOON:
		err = parse_number("--balloon", argument, 0, MAX_MEMORY_MIB, &number);
		if (!err)
			options->balloon_target = number * MIB;
		options->balloon = true;
		return err;
	case OPT_WINDOW:
		return parse_window(options, argument);
	case OPT_CONTROL:
		return parse_socket(options, argument);
	case OPT_STATS:
		options->stats = argument;
		return 0;
	case OPT_TIMEOUT:
		err = parse_number("--timeout", argument, 1, MAX_TIMEOUT, &number);
		if (!err)
			options->timeout = number;
		return err;
	case OPT_HELP:
		options->help = true;
		return 0;
	default:
		return -EINVAL;
	}
}

static int check_combination(const struct options *options)
{
	uint64_t room;

	if (!options->firmware && !options->host_firmware && !options->kernel && !options->bare) {
		log_err("nothing to run: give --firmware, --host-firmware, --kernel or --bare");
		return -EINVAL;
	}
	if (options->host_firmware && (options->firmware || !options->protected_vm)) {
		log_err("--host-firmware needs --protected and excludes --firmware");
		return -EINVAL;
	}
	if (options->bare && (options->firmware || options->host_firmware || options->kernel ||
			      options->initrd)) {
		log_err("--bare excludes --firmware, --host-firmware, --kernel and --initrd");
		return -EINVAL;
	}
	if (options->initrd && !options->kernel) {
		log_err("--initrd needs --kernel");
		return -EINVAL;
	}
	if (options->balloon_target > options->memory_size) {
		log_err("a balloon of %lu MiB is larger than %lu MiB of memory",
			options->balloon_target / MIB, options->memory_size / MIB);
		return -EINVAL;
	}
	/* A fixed pool ends where the device tree starts. */
	room = options->dma_pool_fixed ? FDT_BASE(options->memory_size) - RAM_BASE :
	       options->memory_size - 1;
	if (options->dma_pool_size > room) {
		log_err("a restricted DMA pool of %lu MiB does not fit into %lu MiB of memory",
			options->dma_pool_size / MIB, options->memory_size / MIB);
		return -EINVAL;
	}
	return 0;
}

static uint64_t default_pool_mib(const struct options *options)
{
	if (options->kernel)
		return options->protected_vm || options->firmware ? DEFAULT_POOL_MIB : 0;
	return options->firmware && !options->protected_vm ? FIRMWARE_POOL_MIB : 0;
}

int options_parse(struct options *options, int argc, char **argv)
{
	bool seen[NR_OPTS] = { };
	int option, index, err;

	memset(options, 0, sizeof(*options));
	options->memory_size = DEFAULT_MEMORY_MIB * MIB;
	options->nr_vcpus = 1;
	options->firmware_address = FIRMWARE_BASE;

	/* 0 instead of 1 resets getopt_long(), as unit tests parse several command lines. */
	optind = 0;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", long_options, &index)) != -1) {
		if (option == ':') {
			log_err("%s: argument missing", argv[optind - 1]);
			return -EINVAL;
		}
		if (option == '?') {
			log_err("%s: unknown option (try --help)", argv[optind - 1]);
			return -EINVAL;
		}
		if (seen[option] && option != OPT_WINDOW) {
			log_err("--%s: given twice", long_options[index].name);
			return -EINVAL;
		}
		seen[option] = true;
		err = parse_option(options, option, optarg);
		if (err)
			return err;
	}
	if (options->help)
		return 0;
	/* Firmware that cannot share memory at run time needs a pool at a fixed address. */
	options->dma_pool_fixed = options->firmware && !options->protected_vm;
	if (!seen[OPT_SWIOTLB])
		options->dma_pool_size = default_pool_mib(options) * MIB;
	if (seen[OPT_FIRMWARE_AT] && !options->firmware && !options->host_firmware) {
		log_err("--firmware-at needs --firmware or --host-firmware");
		return -EINVAL;
	}
	if (optind < argc) {
		log_err("unexpected argument '%s' (try --help)", argv[optind]);
		return -EINVAL;
	}
	return check_combination(options);
}
