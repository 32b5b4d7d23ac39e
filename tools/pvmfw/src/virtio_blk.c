// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver for the virtio block device (virtio_blk.h). Rule: header, data and status of a
 * request lie in shared memory, the driver's own records of it in private memory.
 */
#include <string.h>

#include <linux/virtio_blk.h>

#include "clock.h"
#include "mmio.h"
#include "virtio_blk.h"

/* The driver's value of @status, which tells it whether the device has written the status. */
#define STATUS_NONE	0xff

/* How long a request may take, and how often to check whether the device needs a reset. */
#define READ_SECONDS	30
#define LOOK_SECONDS	1

/* Header and status of a request; the device writes only @status. */
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
	status = virtio_pci_read_config64(&blk->dev, offsetof(struct virtio_blk_config, capacity),
					  &blk->sectors);
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

/* Wait, a bounded time, until the device completes any request. */
static enum fw_status wait_any(struct virtio_blk *blk)
{
	u64 deadline = clock_deadline(READ_SECONDS), look = clock_deadline(LOOK_SECONDS);
	struct virtio_blk_slot *slot;
	enum fw_status status;
	u32 written;
	u16 id;

	while ((status = virtq_poll(&blk->vq, &id, &written)) == FW_EAGAIN) {
		if (!clock_passed(look))
			continue;
		if (virtio_pci_needs_reset(&blk->dev))
			return FW_EVIRTIO_BROKEN;
		if (clock_passed(deadline))
			return FW_ETIMEOUT;
		look = clock_deadline(LOOK_SECONDS);
	}
	if (status != FW_OK)
		return status;
	slot = &blk->slot[blk->slot_of[id]];
	slot->written = written;
	slot->done = true;
	blk->in_flight--;
	return FW_OK;
}

/*
 * Some devices do not count the status byte among the bytes that they wrote. That is
 * harmless: the driver set the status to STATUS_NONE, so it sees whether the device wrote it.
 * The number decides nothing else. The driver copies the length that it requested, and the
 * host may change the data anyway.
 */
static enum fw_status request_result(const struct blk_request *req, u32 written, u32 len)
{
	switch (READ_ONCE(req->status)) {
	case VIRTIO_BLK_S_OK:
		return written == len || written == len + sizeof(req->status) ? FW_OK :
		       FW_EBLK_SHORT;
	case VIRTIO_BLK_S_IOERR:
		return FW_EBLK_IO;
	case VIRTIO_BLK_S_UNSUPP:
		return FW_EBLK_UNSUPPORTED;
	default:
		return FW_EBLK_STATUS;
	}
}

static enum fw_status dealloc_slot(struct virtio_blk *blk, struct virtio_blk_slot *slot)
{
	enum fw_status status = FW_OK;

	if (slot->bounce)
		status = dealloc_shared(blk->pool, slot->bounce, slot->len);
	if (status == FW_OK)
		status = dealloc_shared(blk->pool, slot->req, sizeof(struct blk_request));
	if (status == FW_OK)
		memset(slot, 0, sizeof(*slot));
	return status;
}

static enum fw_status alloc_slot(struct virtio_blk *blk, struct virtio_blk_slot *slot, u32 len)
{
	enum fw_status status, freed;
	void *req, *bounce;

	status = alloc_shared(blk->pool, sizeof(struct blk_request), &req);
	if (status != FW_OK)
		return status;
	*slot = (struct virtio_blk_slot){ .req = req, .len = len };
	status = alloc_shared(blk->pool, len, &bounce);
	if (status != FW_OK) {
		freed = dealloc_slot(blk, slot);
		return freed == FW_OK ? status : freed;
	}
	slot->bounce = bounce;
	return FW_OK;
}

static enum fw_status submit(struct virtio_blk *blk, unsigned int number, u64 sector)
{
	struct virtio_blk_slot *slot = &blk->slot[number];
	struct blk_request *req = slot->req;
	const struct virtq_seg segs[] = {
		{ (uintptr_t)req, REQ_HEADER_SIZE, false },
		{ (uintptr_t)slot->bounce, slot->len, true },
		{ (uintptr_t)&req->status, sizeof(req->status), true },
	};
	enum fw_status status;
	u16 id;

	WRITE_ONCE(req->type, VIRTIO_BLK_T_IN);
	WRITE_ONCE(req->reserved, 0);
	WRITE_ONCE(req->sector, sector);
	WRITE_ONCE(req->status, STATUS_NONE);
	status = virtq_add(&blk->vq, segs, ARRAY_SIZE(segs), &id);
	if (status != FW_OK)
		return status;
	blk->slot_of[id] = (u8)number;
	blk->requests++;
	if (++blk->in_flight > blk->in_flight_peak)
		blk->in_flight_peak = blk->in_flight;
	mmio_write16(blk->notify, 0);
	return FW_OK;
}

enum fw_status virtio_blk_start_read(struct virtio_blk *blk, u64 sector, u32 len,
				     unsigned int *slot)
{
	enum fw_status status, freed;
	unsigned int i = 0;

	if (!len || len % SECTOR_SIZE)
		return FW_EALIGN;
	if (len > VIRTIO_BLK_MAX_READ || !range_inside(sector, len / SECTOR_SIZE, 0, blk->sectors))
		return FW_EBLK_RANGE;
	while (i < VIRTIO_BLK_MAX_DEPTH && blk->slot[i].req)
		i++;
	if (i == VIRTIO_BLK_MAX_DEPTH)
		return FW_EAGAIN;

	status = alloc_slot(blk, &blk->slot[i], len);
	if (status != FW_OK)
		return status;
	status = submit(blk, i, sector);
	if (status != FW_OK) {
		freed = dealloc_slot(blk, &blk->slot[i]);
		return freed == FW_OK ? status : freed;
	}
	*slot = i;
	return FW_OK;
}

enum fw_status virtio_blk_finish_read(struct virtio_blk *blk, unsigned int slot, void *dst)
{
	struct virtio_blk_slot *s = &blk->slot[slot];
	enum fw_status status, freed;

	while (!s->done) {
		status = wait_any(blk);
		if (status != FW_OK)
			return status;
	}
	status = request_result(s->req, s->written, s->len);
	if (status == FW_OK)
		copy_from_shared(dst, s->bounce, s->len);
	if (status != FW_OK && status != FW_EBLK_IO && status != FW_EBLK_UNSUPPORTED)
		return status;
	freed = dealloc_slot(blk, s);
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
