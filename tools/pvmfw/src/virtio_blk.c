// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtio block device of virtio_blk.h. One request at a time: header, data
 * and status lie in shared memory, and the data is copied to private memory
 * before anyone looks at it.
 */
#include <string.h>

#include "clock.h"
#include "mmio.h"
#include "virtio_blk.h"

#define REQ_IN		0

#define STATUS_OK	0
#define STATUS_IOERR	1
#define STATUS_UNSUPP	2
#define STATUS_NONE	0xff

#define CONFIG_CAPACITY	0

/*
 * How long a request may take, and how often to look whether the device lives.
 */
#define READ_SECONDS	30
#define LOOK_SECONDS	1

/* The part of a request that is not data; the device writes @status. */
struct blk_request {
	u32 type;
	u32 reserved;
	u64 sector;
	u8 status;
};

#define REQ_HEADER_SIZE offsetof(struct blk_request, status)

enum fw_status virtio_blk_init(struct virtio_blk *blk, const struct pci_dev *pci,
			       struct shared_pool *pool)
{
	enum fw_status status;

	memset(blk, 0, sizeof(*blk));
	blk->pool = pool;
	status = virtio_pci_init(&blk->dev, pci);
	if (status != FW_OK)
		return status;
	status = virtio_pci_read_config64(&blk->dev, CONFIG_CAPACITY, &blk->sectors);
	if (status != FW_OK)
		return status;
	if (!blk->sectors || blk->sectors > UINT64_MAX / SECTOR_SIZE)
		return FW_EBLK_CAPACITY;
	status = virtq_init(&blk->vq, pool, virtio_pci_queue_max(&blk->dev));
	if (status != FW_OK)
		return status;
	blk->running = true;
	return virtio_pci_start(&blk->dev, blk->vq.size, (uintptr_t)blk->vq.desc,
				(uintptr_t)blk->vq.avail, (uintptr_t)blk->vq.used, &blk->notify);
}

/* Wait for the one request that is under way. */
static enum fw_status wait_done(struct virtio_blk *blk, u16 id, u32 *written)
{
	u64 deadline = clock_deadline(READ_SECONDS), look = clock_deadline(LOOK_SECONDS);
	enum fw_status status;
	u16 done;

	while ((status = virtq_poll(&blk->vq, &done, written)) == FW_EAGAIN) {
		if (!clock_passed(look))
			continue;
		if (virtio_pci_needs_reset(&blk->dev))
			return FW_EVIRTIO_BROKEN;
		if (clock_passed(deadline))
			return FW_ETIMEOUT;
		look = clock_deadline(LOOK_SECONDS);
	}
	if (status == FW_OK && done != id)
		return FW_EVIRTIO_RING;
	return status;
}

static enum fw_status request_result(const struct blk_request *req, u32 written, u32 len)
{
	switch (READ_ONCE(req->status)) {
	case STATUS_OK:
		return written == len + sizeof(req->status) ? FW_OK : FW_EBLK_SHORT;
	case STATUS_IOERR:
		return FW_EBLK_IO;
	case STATUS_UNSUPP:
		return FW_EBLK_UNSUPPORTED;
	default:
		return FW_EBLK_STATUS;
	}
}

static enum fw_status transfer(struct virtio_blk *blk, struct blk_request *req, u64 sector,
			       void *bounce, u32 len)
{
	const struct virtq_seg segs[] = {
		{ (uintptr_t)req, REQ_HEADER_SIZE, false },
		{ (uintptr_t)bounce, len, true },
		{ (uintptr_t)&req->status, sizeof(req->status), true },
	};
	enum fw_status status;
	u32 written;
	u16 id;

	WRITE_ONCE(req->type, REQ_IN);
	WRITE_ONCE(req->reserved, 0);
	WRITE_ONCE(req->sector, sector);
	WRITE_ONCE(req->status, STATUS_NONE);

	status = virtq_add(&blk->vq, segs, ARRAY_SIZE(segs), &id);
	if (status != FW_OK)
		return status;
	blk->requests++;
	mmio_write16(blk->notify, 0);
	status = wait_done(blk, id, &written);
	return status == FW_OK ? request_result(req, written, len) : status;
}

enum fw_status virtio_blk_read(struct virtio_blk *blk, u64 sector, void *dst, u32 len)
{
	enum fw_status status, freed;
	void *req, *bounce;

	if (!len || len % SECTOR_SIZE)
		return FW_EALIGN;
	if (len > VIRTIO_BLK_MAX_READ || !range_inside(sector, len / SECTOR_SIZE, 0, blk->sectors))
		return FW_EBLK_RANGE;

	status = alloc_shared(blk->pool, sizeof(struct blk_request), &req);
	if (status != FW_OK)
		return status;
	status = alloc_shared(blk->pool, len, &bounce);
	if (status != FW_OK) {
		freed = dealloc_shared(blk->pool, req, sizeof(struct blk_request));
		return freed == FW_OK ? status : freed;
	}

	status = transfer(blk, req, sector, bounce, len);
	if (status == FW_OK)
		copy_from_shared(dst, bounce, len);
	if (status != FW_OK && status != FW_EBLK_IO && status != FW_EBLK_UNSUPPORTED)
		return status;

	freed = dealloc_shared(blk->pool, bounce, len);
	if (freed == FW_OK)
		freed = dealloc_shared(blk->pool, req, sizeof(struct blk_request));
	return freed == FW_OK ? status : freed;
}

enum fw_status virtio_blk_stop(struct virtio_blk *blk)
{
	enum fw_status status;

	if (!blk->running)
		return FW_OK;
	status = virtio_pci_reset(&blk->dev);
	if (status == FW_OK)
		blk->running = false;
	return status;
}
