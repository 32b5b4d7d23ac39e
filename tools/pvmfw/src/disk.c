// SPDX-License-Identifier: GPL-2.0-only
/*
 * The disk (disk.h). Several requests are in flight while data is hashed. The device may
 * complete them in any order; their data is hashed in the order of the sectors.
 */
#include "console.h"
#include "disk.h"
#include "sha256.h"

#define SECTORS_PER_MIB (0x100000 / SECTOR_SIZE)

/**
 * struct reader - A disk that is being read.
 * @disk: the disk
 * @size: bytes per request
 * @depth: limit of requests in flight
 * @end: sectors of the disk
 * @asked: the first sector that is not requested yet
 * @hashed: the first sector that is not hashed yet
 * @first: the oldest request, an index into @slot
 * @count: requests in flight
 * @slot: a ring of the slots of these requests
 */
struct reader {
	struct virtio_blk *disk;
	u32 size;
	u32 depth;
	u64 end;
	u64 asked;
	u64 hashed;
	unsigned int first;
	unsigned int count;
	unsigned int slot[VIRTIO_BLK_MAX_DEPTH];
};

enum fw_status disk_init(struct disk *disk, const struct platform *p, struct shared_pool *pool)
{
	struct pci_dev dev;
	enum fw_status status;

	if (!p->has_pci)
		return FW_ENODISK;
	pci_init(&disk->pci, p);
	status = pci_find(&disk->pci, VIRTIO_PCI_VENDOR, VIRTIO_PCI_DEVICE_BLK, &dev);
	if (status == FW_ENODISK)
		return status;
	if (status == FW_OK)
		status = virtio_blk_init(&disk->blk, &dev, pool);
	if (status != FW_OK)
		return pr_error(status, "disk in PCI slot %u", dev.slot);
	pr_info("disk %llu bytes", (unsigned long long)disk->blk.sectors * SECTOR_SIZE);
	return FW_OK;
}

/* Bytes of the request that starts at @sector. */
static u32 length_at(const struct reader *r, u64 sector)
{
	u64 left = r->end - sector;

	return left < r->size / SECTOR_SIZE ? (u32)left * SECTOR_SIZE : r->size;
}

static enum fw_status ask(struct reader *r)
{
	enum fw_status status;
	u32 len;

	while (r->count < r->depth && r->asked < r->end) {
		unsigned int *slot = &r->slot[(r->first + r->count) % VIRTIO_BLK_MAX_DEPTH];

		len = length_at(r, r->asked);
		status = virtio_blk_start_read(r->disk, r->asked, len, slot);
		if (status == FW_EAGAIN && r->count)
			return FW_OK;
		if (status != FW_OK)
			return status;
		r->count++;
		r->asked += len / SECTOR_SIZE;
	}
	return FW_OK;
}

static enum fw_status read_all(struct reader *r, void *buffer, struct sha256 *sha)
{
	enum fw_status status;
	u32 len;

	while (r->hashed < r->end) {
		status = ask(r);
		if (status != FW_OK)
			return status;
		len = length_at(r, r->hashed);
		status = virtio_blk_finish_read(r->disk, r->slot[r->first], buffer);
		if (status != FW_OK)
			return status;
		r->first = (r->first + 1) % VIRTIO_BLK_MAX_DEPTH;
		r->count--;
		sha256_update(sha, buffer, len);
		r->hashed += len / SECTOR_SIZE;
	}
	return FW_OK;
}

static void print_digest(const u8 *digest)
{
	char hex[2 * SHA256_DIGEST_SIZE + 1];
	unsigned int i;

	for (i = 0; i < SHA256_DIGEST_SIZE; i++) {
		hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 0xf];
	}
	hex[2 * SHA256_DIGEST_SIZE] = '\0';
	pr_info("sha256 %s", hex);
}

enum fw_status disk_hash(struct disk *disk, struct buddy *heap, const struct fw_config *config)
{
	struct reader r = {
		.disk = &disk->blk,
		.size = config->read_size,
		.depth = config->read_depth,
		.end = disk->blk.sectors,
	};
	/* No request is longer than the first one. */
	const u32 buffer_size = length_at(&r, 0);
	u8 digest[SHA256_DIGEST_SIZE];
	enum fw_status status, freed;
	struct sha256 sha;
	void *buffer;

	if (r.end > (u64)config->max_disk * SECTORS_PER_MIB)
		return pr_error(FW_EBLK_TOO_LARGE, "disk of %llu bytes, limit %u MiB",
				(unsigned long long)r.end * SECTOR_SIZE, config->max_disk);
	buffer = buddy_alloc(heap, buffer_size);
	if (!buffer)
		return pr_error(FW_ENOMEM, "read buffer");
	sha256_init(&sha);
	status = read_all(&r, buffer, &sha);
	freed = buddy_free(heap, buffer, buffer_size);
	if (status != FW_OK) {
		u32 len = length_at(&r, r.hashed);

		return pr_error(status, "disk, sectors %llu to %llu",
				(unsigned long long)r.hashed,
				(unsigned long long)(r.hashed + len / SECTOR_SIZE) - 1);
	}
	sha256_final(&sha, digest);
	print_digest(digest);
	return freed;
}
