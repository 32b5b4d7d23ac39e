/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The configuration says what the firmware may start. It is the page behind the image, and
 * as trustworthy as the image itself. pvmfw_config.py writes it.
 *
 * It starts with little-endian 32-bit fields: magic, version, size in bytes, number of
 * entries; then for each entry its type, its offset from the magic and its size. The contents
 * of the entries follow.
 */
#ifndef PVMFW_CONFIG_H
#define PVMFW_CONFIG_H

#include "sha256.h"
#include "status.h"
#include "types.h"

#define CONFIG_MAX_SIZE		0x1000
#define CONFIG_MAX_CMDLINE	2048

/**
 * struct fw_config - What the configuration says.
 * @kernel: SHA-256 that the kernel must have; NULL if no kernel may be started
 * @initrd: SHA-256 that the initrd must have; NULL if no initrd is allowed
 * @cmdline: the kernel's command line; NULL if the configuration has none
 * @host_cmdline: the host chooses the command line; never set together with @cmdline. With
 *	neither the command line is empty.
 * @read_size: bytes per request to the disk, a multiple of SECTOR_SIZE
 * @read_depth: requests to the disk that may be in flight, not 0
 * @max_disk: size in MiB of the largest disk that is read, not 0
 */
struct fw_config {
	const u8 *kernel;
	const u8 *initrd;
	const char *cmdline;
	bool host_cmdline;
	u32 read_size;
	u32 read_depth;
	u32 max_disk;
};

/**
 * config_parse() - Check and read a configuration.
 * @blob: the configuration, aligned to 4 bytes
 * @room: bytes that may be read at @blob, at most CONFIG_MAX_SIZE
 * @config: filled in; points into @blob
 *
 * Return: FW_OK; FW_ECONFIG_HEADER for a header without magic, of another version or with an
 * invalid size or count; FW_ECONFIG_ENTRY for an entry that is unknown, malformed, repeated
 * or in conflict with another one; FW_EOVERLAP for an entry that overlaps another one or the
 * header.
 */
enum fw_status config_parse(const void *blob, size_t room, struct fw_config *config);

#endif
