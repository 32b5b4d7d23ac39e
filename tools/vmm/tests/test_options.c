// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: every invalid command line is refused; a valid one is parsed as the help text says.
 */
#include "test.h"

#include <errno.h>
#include <stdio.h>

#include "options.h"

#define MAX_ARGS	16

/* Split @line at blanks and parse it. */
static int parse(struct options *options, char *line)
{
	char *argv[MAX_ARGS + 1] = { (char *)"vmm" };
	int argc = 1;
	char *word;

	for (word = strtok(line, " "); word; word = strtok(NULL, " ")) {
		assert_true(argc < MAX_ARGS);
		argv[argc++] = word;
	}
	return options_parse(options, argc, argv);
}

static void test_defaults(void **state)
{
	struct options options;
	char line[] = "--firmware fw";

	(void)state;
	assert_int_equal(parse(&options, line), 0);
	assert_string_equal(options.firmware, "fw");
	assert_int_equal(options.memory_size, 256UL << 20);
	assert_int_equal(options.nr_vcpus, 1);
	assert_false(options.protected_vm);
	assert_false(options.help);
	assert_int_equal(options.dma_pool_size, 2UL << 20);
	assert_null(options.disk);
	assert_null(options.stats);
	assert_null(options.control);
	assert_int_equal(options.timeout, 0);
}

static void test_all_options(void **state)
{
	struct options options;
	char what[] = "--firmware f --kernel k --initrd=i --cmdline quiet";
	char how[] = "--bare b --protected --mem 64 --cpus 8 --disk d --stats s --timeout 7";
	char control[] = "--bare b --control c";

	(void)state;
	assert_int_equal(parse(&options, what), 0);
	assert_string_equal(options.firmware, "f");
	assert_string_equal(options.kernel, "k");
	assert_string_equal(options.initrd, "i");
	assert_string_equal(options.cmdline, "quiet");

	assert_int_equal(parse(&options, how), 0);
	assert_string_equal(options.bare, "b");
	assert_true(options.protected_vm);
	assert_int_equal(options.memory_size, 64UL << 20);
	assert_int_equal(options.nr_vcpus, 8);
	assert_string_equal(options.disk, "d");
	assert_false(options.disk_read_only);
	assert_string_equal(options.stats, "s");
	assert_int_equal(options.timeout, 7);

	assert_int_equal(parse(&options, control), 0);
	assert_string_equal(options.control, "c");
}

/* A window is given as often as there are slots; the last ",size=" is that of the window. */
static void test_windows(void **state)
{
	char line[] = "--bare b --window a,size=4K,size=64K --window b,size=1G";
	char names[WINDOW_SLOTS + 1][16], *argv[2 * (WINDOW_SLOTS + 1) + 2];
	struct options options;
	unsigned int i;

	(void)state;
	assert_int_equal(parse(&options, line), 0);
	assert_int_equal(options.nr_windows, 2);
	assert_string_equal(options.windows[0].path, "a,size=4K");
	assert_int_equal(options.windows[0].size, 0x10000);
	assert_string_equal(options.windows[1].path, "b");
	assert_int_equal(options.windows[1].size, 0x40000000);

	for (i = 0; i <= WINDOW_SLOTS; i++) {
		argv[2 * i + 2] = (char *)"--window";
		argv[2 * i + 3] = names[i];
	}
	argv[0] = (char *)"vmm";
	argv[1] = (char *)"--bare=b";
	for (i = 0; i <= WINDOW_SLOTS; i++)
		snprintf(names[i], sizeof(names[i]), "w%u,size=4K", i);
	assert_int_equal(options_parse(&options, 2 * WINDOW_SLOTS + 4, argv), -EINVAL);
	for (i = 0; i <= WINDOW_SLOTS; i++)
		snprintf(names[i], sizeof(names[i]), "w%u,size=4K", i);
	assert_int_equal(options_parse(&options, 2 * WINDOW_SLOTS + 2, argv), 0);
	assert_int_equal(options.nr_windows, WINDOW_SLOTS);
}

/* The name of a socket has at most 107 bytes. */
static void test_control(void **state)
{
	char name[109], *argv[] = { (char *)"vmm", (char *)"--bare=b", (char *)"--control", name };
	struct options options;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[108] = '\0';
	assert_int_equal(options_parse(&options, 4, argv), -EINVAL);
	name[107] = '\0';
	assert_int_equal(options_parse(&options, 4, argv), 0);
	assert_string_equal(options.control, name);
}

/* Only the suffix ",ro" makes a disk read-only; other commas belong to the name. */
static void test_disk_suffix(void **state)
{
	char read_only[] = "--bare b --disk a,b,ro";
	char writable[] = "--bare b --disk a,row";
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, read_only), 0);
	assert_string_equal(options.disk, "a,b");
	assert_true(options.disk_read_only);
	assert_int_equal(parse(&options, writable), 0);
	assert_string_equal(options.disk, "a,row");
	assert_false(options.disk_read_only);
}

/*
 * By default there is a DMA pool for a protected kernel, whose disk needs it, and one at a fixed
 * address for firmware that cannot share memory; there is none otherwise. --swiotlb overrides
 * the default.
 */
static void test_dma_pool(void **state)
{
	static const struct {
		const char *line;
		uint64_t mib;
		bool fixed;
	} cases[] = {
		{ "--firmware f", 2, true },
		{ "--firmware f --kernel k", 16, true },
		{ "--firmware f --swiotlb 0", 0, true },
		{ "--firmware f --mem 4 --swiotlb 2", 2, true },
		{ "--protected --kernel k", 16, false },
		{ "--kernel k --firmware f --protected", 16, false },
		{ "--kernel k", 0, false },
		{ "--protected --firmware f", 0, false },
		{ "--protected --host-firmware", 0, false },
		{ "--protected --host-firmware --kernel k", 16, false },
		{ "--protected --bare b", 0, false },
		{ "--protected --kernel k --swiotlb 0", 0, false },
		{ "--protected --kernel k --swiotlb 64", 64, false },
		{ "--kernel k --swiotlb 1", 1, false },
		{ "--mem 17 --protected --kernel k", 16, false },
	};
	struct options options;
	char line[128];
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(line, sizeof(line), "%s", cases[i].line);
		assert_int_equal(parse(&options, line), 0);
		assert_int_equal(options.dma_pool_size, cases[i].mib << 20);
		assert_int_equal(options.dma_pool_fixed, cases[i].fixed);
	}
}

/* --firmware-at sets the address of the firmware; the default is that of crosvm. */
static void test_firmware_at(void **state)
{
	char without[] = "--firmware f";
	char older[] = "--firmware f --firmware-at 0x7fe00000";
	char hosts[] = "--firmware-at 2143289344 --protected --host-firmware";
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, without), 0);
	assert_int_equal(options.firmware_address, 0x7fc00000);
	assert_int_equal(parse(&options, older), 0);
	assert_int_equal(options.firmware_address, 0x7fe00000);
	assert_int_equal(parse(&options, hosts), 0);
	assert_int_equal(options.firmware_address, 0x7fc00000);
}

/* A balloon of 0 MiB is one: the guest reports its free pages. */
static void test_balloon(void **state)
{
	char none[] = "--bare b";
	char empty[] = "--bare b --balloon 0";
	char all[] = "--bare b --balloon 64 --mem 64";
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, none), 0);
	assert_false(options.balloon);
	assert_int_equal(parse(&options, empty), 0);
	assert_true(options.balloon);
	assert_int_equal(options.balloon_target, 0);
	assert_int_equal(parse(&options, all), 0);
	assert_true(options.balloon);
	assert_int_equal(options.balloon_target, 64UL << 20);
}

static void test_cpu_features(void **state)
{
	char both[] = "--bare b --cpu-features pauth,sve";
	char one[] = "--bare b --cpu-features sve";
	char none[] = "--bare b --cpu-features none";
	char unsaid[] = "--bare b";
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, both), 0);
	assert_true(options.cpu_features_given);
	assert_int_equal(options.cpu_features, CPU_FEATURE_SVE | CPU_FEATURE_PAUTH);
	assert_int_equal(parse(&options, one), 0);
	assert_int_equal(options.cpu_features, CPU_FEATURE_SVE);
	assert_int_equal(parse(&options, none), 0);
	assert_true(options.cpu_features_given);
	assert_int_equal(options.cpu_features, 0);
	assert_int_equal(parse(&options, unsaid), 0);
	assert_false(options.cpu_features_given);
}

static void test_help(void **state)
{
	char alone[] = "--help";
	char among_others[] = "--mem 64 --help";
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, alone), 0);
	assert_true(options.help);
	assert_int_equal(parse(&options, among_others), 0);
	assert_true(options.help);
}

static void test_refused(void **state)
{
	static const char *const lines[] = {
		"",
		"--protected",
		"--disk d",
		"fw",
		"--firmware fw extra",
		"--firmware",
		"--unknown --firmware fw",
		"-x --firmware fw",
		"--protected=yes --firmware fw",
		"--firmware fw --firmware other",
		"--bare b --firmware fw",
		"--bare b --kernel k",
		"--bare b --initrd i",
		"--firmware fw --initrd i",
		"--firmware fw --mem 0",
		"--firmware fw --mem 3",
		"--firmware fw --mem -1",
		"--firmware fw --mem +64",
		"--firmware fw --mem 64M",
		"--firmware fw --mem 0x40",
		"--firmware fw --mem 1e3",
		"--firmware fw --mem 99999999999999999999",
		"--firmware fw --mem 1048577",
		"--firmware fw --mem=",
		"--firmware fw --cpus 0",
		"--firmware fw --cpus 9",
		"--firmware fw --cpus two",
		"--firmware fw --cpu-features",
		"--firmware fw --cpu-features=",
		"--firmware fw --cpu-features sme",
		"--firmware fw --cpu-features sve,",
		"--firmware fw --cpu-features ,sve",
		"--firmware fw --cpu-features sve,none",
		"--firmware fw --cpu-features sv",
		"--firmware fw --cpu-features svex",
		"--firmware fw --timeout 0",
		"--firmware fw --timeout 1.5",
		"--firmware fw --timeout 4294967297",
		"--firmware f --firmware-at",
		"--firmware f --firmware-at x",
		"--firmware f --firmware-at -1",
		"--firmware f --firmware-at 0x7fe00000x",
		"--firmware f --firmware-at 0x7fe01000",
		"--firmware f --firmware-at 0x80000000",
		"--firmware f --firmware-at 0x3fe00000",
		"--firmware f --firmware-at 0x17fe00000",
		"--kernel k --firmware-at 0x7fe00000",
		"--bare b --firmware-at 0x7fe00000",
		"--kernel k --swiotlb",
		"--kernel k --swiotlb x",
		"--kernel k --swiotlb -1",
		"--kernel k --swiotlb 256",
		"--kernel k --mem 64 --swiotlb 64",
		"--firmware f --mem 64 --swiotlb 63",
		"--firmware f --mem 5 --swiotlb 3",
		"--kernel k --balloon",
		"--kernel k --balloon=",
		"--kernel k --balloon -1",
		"--kernel k --balloon 64M",
		"--kernel k --balloon 257",
		"--kernel k --balloon 65 --mem 64",
		"--kernel k --balloon 8 --balloon 8",
		"--host-firmware",
		"--host-firmware --kernel k",
		"--protected --host-firmware --firmware f",
		"--protected --host-firmware --bare b",
		"--kernel k --protected --mem 16",
		"--firmware fw --disk ,ro",
		"--firmware fw --disk=",
		"--firmware fw --window",
		"--firmware fw --window=",
		"--firmware fw --window w",
		"--firmware fw --window ,size=4K",
		"--firmware fw --window w,size=",
		"--firmware fw --window w,size=0",
		"--firmware fw --window w,size=3K",
		"--firmware fw --window w,size=2G",
		"--firmware fw --window w,size=4K,ro",
		"--firmware fw --window w,Size=4K",
		"--firmware fw --control=",
		"--firmware fw --control",
	};
	struct options options;
	char line[128];
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		snprintf(line, sizeof(line), "%s", lines[i]);
		if (parse(&options, line) != -EINVAL)
			fail_msg("accepted: %s", lines[i]);
	}
}

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_all_options),
		cmocka_unit_test(test_disk_suffix),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_control),
		cmocka_unit_test(test_dma_pool),
		cmocka_unit_test(test_firmware_at),
		cmocka_unit_test(test_balloon),
		cmocka_unit_test(test_cpu_features),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
