/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The configuration: what is appended to the image, a page from CONFIG_ALIGN on
 * behind it, and is as trustworthy as the image itself. It says what may be
 * started.
 *
 * All fields are little-endian, 32 bits wide: magic, version, bytes in all,
 * number of entries; then for each entry its type, its offset from the magic and
 * its size; then what the entries hold.
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
 * @kernel: digest that the kernel must have; NULL if none may be started
 * @initrd: digest that the initrd must have; NULL if there may be none
 * @cmdline: the kernel's command line; NULL if the configuration has none
 * @host_cmdline: the host chooses the command line; only without @cmdline. With
 *	neither it is empty.
 * @read_size: bytes that a request to the disk reads
 * @read_depth: requests to the disk that are under way at a time
 * @max_disk: MiB of the largest disk that is read, not 0
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
 * @blob: CONFIG_MAX_SIZE readable bytes at most, aligned to 4
 * @room: how many bytes are readable
 * @config: filled in; points into @blob
 *
 * Return: FW_OK; FW_ECONFIG_HEADER; FW_ECONFIG_ENTRY for an entry that is
 * unknown, malformed, there twice or in contradiction to another one; FW_EOVERLAP
 * for one that overlaps another one or the header.
 */
enum fw_status config_parse(const void *blob, size_t room, struct fw_config *config);

#endif
