// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzes config_parse(). Rule: a configuration is refused, or all that it points to lies in it
 * and its numbers are in range.
 */
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "fuzz.h"
#include "virtio_blk.h"

static bool inside(const u8 *blob, size_t size, const void *at, size_t len)
{
	return !at || range_inside((uintptr_t)at, len, (uintptr_t)blob, size);
}

int fuzz_one_input(const u8 *data, size_t size)
{
	u8 *blob = malloc(size + 1);
	struct fw_config config;

	FUZZ_RULE(blob);
	memcpy(blob, data, size);
	if (config_parse(blob, size, &config) == FW_OK) {
		FUZZ_RULE(inside(blob, size, config.kernel, SHA256_DIGEST_SIZE));
		FUZZ_RULE(inside(blob, size, config.initrd, SHA256_DIGEST_SIZE));
		FUZZ_RULE(inside(blob, size, config.cmdline,
				 config.cmdline ? strlen(config.cmdline) + 1 : 0));
		FUZZ_RULE(!config.cmdline || !config.host_cmdline);
		FUZZ_RULE(config.read_size && config.read_size <= VIRTIO_BLK_MAX_READ &&
			  config.read_size % SECTOR_SIZE == 0);
		FUZZ_RULE(config.read_depth && config.read_depth <= VIRTIO_BLK_MAX_DEPTH);
		FUZZ_RULE(config.max_disk);
	}
	free(blob);
	return 0;
}
