// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the configuration (config.h). Rule: an entry that the firmware does not know is an
 * error, so that no restriction is silently ignored.
 */
#include <string.h>

#include "config.h"
#include "virtio_blk.h"

#define MAGIC		0x67666370	/* "pcfg" */
#define VERSION		1

enum {
	TYPE_KERNEL_SHA256 = 1,
	TYPE_INITRD_SHA256,
	TYPE_CMDLINE,
	TYPE_DISK_READ,
	TYPE_HOST_CMDLINE,
	TYPE_MAX_DISK,
};

/* In MiB. One CPU reads and hashes this much in less than a minute. */
#define DEFAULT_MAX_DISK 1024

/* The value of a TYPE_HOST_CMDLINE entry. */
#define HOST_MAY_CHOOSE	1

struct header {
	u32 magic;
	u32 version;
	u32 size;
	u32 count;
};

struct entry {
	u32 type;
	u32 offset;
	u32 size;
};

struct disk_read {
	u32 size;
	u32 depth;
};

static bool cmdline_is_sound(const char *text, u32 size)
{
	u32 i;

	if (!size || size > CONFIG_MAX_CMDLINE || text[size - 1])
		return false;
	for (i = 0; i < size - 1; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return true;
}

static enum fw_status read_entry(struct fw_config *config, const struct entry *entry,
				 const void *data)
{
	const struct disk_read *read = data;

	switch (entry->type) {
	case TYPE_KERNEL_SHA256:
		config->kernel = data;
		return entry->size == SHA256_DIGEST_SIZE ? FW_OK : FW_ECONFIG_ENTRY;
	case TYPE_INITRD_SHA256:
		config->initrd = data;
		return entry->size == SHA256_DIGEST_SIZE ? FW_OK : FW_ECONFIG_ENTRY;
	case TYPE_CMDLINE:
		config->cmdline = data;
		return cmdline_is_sound(data, entry->size) ? FW_OK : FW_ECONFIG_ENTRY;
	case TYPE_DISK_READ:
		if (entry->size != sizeof(*read) || !read->size || read->size % SECTOR_SIZE ||
		    read->size > VIRTIO_BLK_MAX_READ || !read->depth ||
		    read->depth > VIRTIO_BLK_MAX_DEPTH)
			return FW_ECONFIG_ENTRY;
		config->read_size = read->size;
		config->read_depth = read->depth;
		return FW_OK;
	case TYPE_HOST_CMDLINE:
		config->host_cmdline = true;
		return entry->size == sizeof(u32) && *(const u32 *)data == HOST_MAY_CHOOSE ?
		       FW_OK : FW_ECONFIG_ENTRY;
	case TYPE_MAX_DISK:
		if (entry->size != sizeof(u32) || !*(const u32 *)data)
			return FW_ECONFIG_ENTRY;
		config->max_disk = *(const u32 *)data;
		return FW_OK;
	default:
		return FW_ECONFIG_ENTRY;
	}
}

/* Check entry @i against the header, the table, and the entries before it. */
static enum fw_status check_entry(const struct header *header, const struct entry *table, u32 i)
{
	const u32 data_start = sizeof(*header) + header->count * sizeof(*table);
	const struct entry *entry = &table[i];
	u32 j;

	if (!range_inside(entry->offset, entry->size, 0, header->size) || !entry->size ||
	    !is_aligned(entry->offset, sizeof(u32)))
		return FW_ECONFIG_ENTRY;
	if (entry->offset < data_start)
		return FW_EOVERLAP;
	for (j = 0; j < i; j++) {
		if (table[j].type == entry->type)
			return FW_ECONFIG_ENTRY;
		if (range_overlaps(entry->offset, entry->size, table[j].offset, table[j].size))
			return FW_EOVERLAP;
	}
	return FW_OK;
}

enum fw_status config_parse(const void *blob, size_t room, struct fw_config *config)
{
	const struct header *header = blob;
	const struct entry *table = (const void *)(header + 1);
	enum fw_status status;
	u32 i;

	*config = (struct fw_config){
		.read_size = VIRTIO_BLK_MAX_READ,
		.read_depth = 1,
		.max_disk = DEFAULT_MAX_DISK,
	};
	if (room < sizeof(*header) || header->magic != MAGIC || header->version != VERSION ||
	    header->size < sizeof(*header) || header->size > room ||
	    header->count > (header->size - sizeof(*header)) / sizeof(*table))
		return FW_ECONFIG_HEADER;
	for (i = 0; i < header->count; i++) {
		status = check_entry(header, table, i);
		if (status == FW_OK)
			status = read_entry(config, &table[i], (const u8 *)blob + table[i].offset);
		if (status != FW_OK)
			return status;
	}
	return config->cmdline && config->host_cmdline ? FW_ECONFIG_ENTRY : FW_OK;
}
