// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtio block device (virtio_blk.h), as virtio 1.1, 5.2, defines it.
 *
 * pread() and pwrite() copy data directly between the page cache and guest memory. The vCPU
 * thread that notifies the device carries out the requests.
 *
 * Rule: a chain without a header or a status byte, or with either in memory that is not shared,
 * cannot be answered: the device fails until the driver resets it. Any other error of a request
 * is answered by its status, and the device continues.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/virtio_ids.h>

#include "le.h"
#include "log.h"
#include "stats.h"
#include "virtio_blk.h"

#define SECTOR_SIZE		512
#define PCI_CLASS_STORAGE_OTHER	0x018000
/* Descriptors of a chain, without those for header and status. */
#define SEGMENTS_MAX		(VIRTQUEUE_MAX_SIZE - 2)

static const char disk_id[VIRTIO_BLK_ID_BYTES] = "vmm-disk";

#define container_of_blk(transport) \
	((struct virtio_blk *)((char *)(transport) - offsetof(struct virtio_blk, virtio)))

/* The rest of a chain's readable or writable buffers, as a stream of bytes. */
struct stream {
	const struct vq_buffer *buffer;
	uint32_t offset;
	uint64_t left;
};

static struct stream readable_stream(const struct vq_chain *chain)
{
	return (struct stream) {
		.buffer = chain->buffer,
		.left = chain->readable_length,
	};
}

static struct stream writable_stream(const struct vq_chain *chain)
{
	return (struct stream) {
		.buffer = chain->buffer + chain->nr_readable,
		.left = chain->writable_length,
	};
}

/* Take up to @max contiguous bytes from a stream that is not empty. */
static struct vq_buffer stream_take(struct stream *stream, uint64_t max)
{
	struct vq_buffer piece = {
		.address = stream->buffer->address + stream->offset,
		.length = stream->buffer->length - stream->offset,
	};

	if (max > stream->left)
		max = stream->left;
	if (piece.length > max) {
		piece.length = max;
		stream->offset += piece.length;
	} else {
		stream->buffer++;
		stream->offset = 0;
	}
	stream->left -= piece.length;
	return piece;
}

static int read_header(struct virtio_blk *blk, struct stream *stream,
		       struct virtio_blk_outhdr *header)
{
	size_t done = 0;

	while (done < sizeof(*header)) {
		struct vq_buffer piece = stream_take(stream, sizeof(*header) - done);
		int err = guest_memory_read(blk->virtio.memory, piece.address,
					    (char *)header + done, piece.length);

		if (err)
			return err;
		done += piece.length;
	}
	return 0;
}

/* Move @length bytes between disk and stream; *@done counts those moved. */
static int move_data(struct virtio_blk *blk, struct stream *stream, uint64_t sector,
		     uint64_t length, bool to_guest, uint64_t *done)
{
	uint64_t offset = sector * SECTOR_SIZE;

	while (*done < length) {
		struct vq_buffer piece = stream_take(stream, length - *done);
		int err;

		if (to_guest)
			err = guest_memory_file_read(blk->virtio.memory, blk->fd, offset + *done,
						     piece.address, piece.length);
		else
			err = guest_memory_file_write(blk->virtio.memory, blk->fd, offset + *done,
						      piece.address, piece.length);
		if (err)
			return err;
		*done += piece.length;
	}
	return 0;
}

static bool range_valid(const struct virtio_blk *blk, uint64_t sector, uint64_t length)
{
	return !(length % SECTOR_SIZE) && sector <= blk->sectors &&
	       length / SECTOR_SIZE <= blk->sectors - sector;
}

static uint8_t read_sectors(struct virtio_blk *blk, uint64_t sector, uint64_t *written)
{
	struct stream to = writable_stream(&blk->chain);
	uint64_t length = to.left - 1;
	int err;

	stat_add(STAT_DISK_READS, 1);
	if (!range_valid(blk, sector, length))
		return VIRTIO_BLK_S_IOERR;
	err = move_data(blk, &to, sector, length, true, written);
	stat_add(STAT_DISK_BYTES_READ, *written);
	return err ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
}

static uint8_t flush(struct virtio_blk *blk)
{
	if (blk->read_only)
		return VIRTIO_BLK_S_OK;
	return fdatasync(blk->fd) ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
}

static uint8_t write_sectors(struct virtio_blk *blk, struct stream *from, uint64_t sector)
{
	uint64_t done = 0;
	int err;

	stat_add(STAT_DISK_WRITES, 1);
	if (blk->read_only || !range_valid(blk, sector, from->left))
		return VIRTIO_BLK_S_IOERR;
	err = move_data(blk, from, sector, from->left, false, &done);
	stat_add(STAT_DISK_BYTES_WRITTEN, done);
	if (err)
		return VIRTIO_BLK_S_IOERR;
	/* A driver that did not negotiate flush expects each write to be on stable storage. */
	return virtio_pci_has_feature(&blk->virtio, VIRTIO_BLK_F_FLUSH) ? VIRTIO_BLK_S_OK :
									   flush(blk);
}

static uint8_t get_id(struct virtio_blk *blk, uint64_t *written)
{
	struct stream to = writable_stream(&blk->chain);

	to.left--;
	while (*written < sizeof(disk_id) && to.left) {
		struct vq_buffer piece = stream_take(&to, sizeof(disk_id) - *written);

		if (guest_memory_write(blk->virtio.memory, piece.address, disk_id + *written,
				       piece.length))
			return VIRTIO_BLK_S_IOERR;
		*written += piece.length;
	}
	return VIRTIO_BLK_S_OK;
}

static uint8_t carry_out(struct virtio_blk *blk, const struct virtio_blk_outhdr *header,
			 struct stream *from, uint64_t *written)
{
	uint64_t sector = get_le64(&header->sector);

	switch (get_le32(&header->type)) {
	case VIRTIO_BLK_T_IN:
		return read_sectors(blk, sector, written);
	case VIRTIO_BLK_T_OUT:
		return write_sectors(blk, from, sector);
	case VIRTIO_BLK_T_FLUSH:
		stat_add(STAT_DISK_FLUSHES, 1);
		return flush(blk);
	case VIRTIO_BLK_T_GET_ID:
		return get_id(blk, written);
	default:
		stat_add(STAT_DISK_UNSUPPORTED, 1);
		return VIRTIO_BLK_S_UNSUPP;
	}
}

/* The status is the last writable byte of a chain, however the driver splits its buffers. */
static int write_status(struct virtio_blk *blk, uint8_t status)
{
	const struct vq_buffer *last = &blk->chain.buffer[blk->chain.nr_buffers - 1];

	return guest_memory_write(blk->virtio.memory, last->address + last->length - 1, &status,
				  sizeof(status));
}

/* Handle a request: NULL if it was answered, else why it cannot be. */
static const char *handle_request(struct virtio_blk *blk, uint32_t *used_length)
{
	struct stream from = readable_stream(&blk->chain);
	uint64_t room = blk->chain.writable_length;
	struct virtio_blk_outhdr header;
	uint64_t written = 0;
	uint8_t status;

	stat_add(STAT_DISK_REQUESTS, 1);
	if (from.left < sizeof(header))
		return "a request has no complete header";
	if (!room)
		return "a request has no status byte";
	if (read_header(blk, &from, &header))
		return "the header of a request lies in memory that the guest does not share";

	status = carry_out(blk, &header, &from, &written);
	if (status == VIRTIO_BLK_S_IOERR)
		stat_add(STAT_DISK_ERRORS, 1);
	if (write_status(blk, status))
		return "the status of a request lies in memory that the guest does not share";

	/* The used length counts the bytes written from the first one on, without a gap. */
	*used_length = written == room - 1 ? room : written;
	return NULL;
}

/*
 * Handle only the chains that are available now, so that no guest can keep this thread busy for
 * ever with the lock held. The driver sends another notification for chains that it adds later.
 */
static void blk_notify(struct virtio_pci *virtio, struct virtqueue *vq)
{
	struct virtio_blk *blk = container_of_blk(virtio);
	enum vq_result result;
	unsigned int count;

	result = virtqueue_available(vq, virtio->memory, &count);
	while (result == VQ_OK && count--) {
		uint32_t used_length = 0;
		const char *reason;

		result = virtqueue_pop(vq, virtio->memory, &blk->chain);
		if (result != VQ_OK)
			break;
		reason = handle_request(blk, &used_length);
		if (reason) {
			virtio_pci_fail(virtio, reason);
			return;
		}
		result = virtqueue_push(vq, virtio->memory, blk->chain.head, used_length);
	}
	if (result != VQ_OK) {
		virtio_pci_fail(virtio, vq_result_string(result));
		return;
	}
	virtio_pci_used(virtio, vq);
}

static const struct virtio_ops blk_ops = {
	.notify = blk_notify,
};

int virtio_blk_open(struct virtio_blk *blk, const char *path, bool read_only)
{
	struct stat info;
	off_t size;
	int err;

	blk->read_only = read_only;
	blk->fd = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
	if (blk->fd < 0) {
		err = -errno;
		log_err("disk %s: %s", path, strerror(-err));
		return err;
	}
	if (fstat(blk->fd, &info)) {
		err = -errno;
		log_err("disk %s: %s", path, strerror(-err));
		goto close;
	}
	err = -EINVAL;
	if (!S_ISREG(info.st_mode) && !S_ISBLK(info.st_mode)) {
		log_err("disk %s: neither a regular file nor a block device", path);
		goto close;
	}
	size = lseek(blk->fd, 0, SEEK_END);
	if (size < 0) {
		err = -errno;
		log_err("disk %s: %s", path, strerror(-err));
		goto close;
	}
	if (!size) {
		log_err("disk %s: the file is empty", path);
		goto close;
	}
	if (size % SECTOR_SIZE) {
		log_err("disk %s: size of %lld bytes is not a multiple of %d", path,
			(long long)size, SECTOR_SIZE);
		goto close;
	}
	blk->sectors = size / SECTOR_SIZE;
	return 0;

close:
	close(blk->fd);
	blk->fd = -1;
	return err;
}

int virtio_blk_init(struct virtio_blk *blk, const struct guest_memory *memory)
{
	const struct virtio_type type = {
		.name = "virtio-blk",
		.device_id = VIRTIO_ID_BLOCK,
		.pci_class = PCI_CLASS_STORAGE_OTHER,
		.features = VIRTIO_FEATURE(VIRTIO_BLK_F_SEG_MAX) |
			    VIRTIO_FEATURE(VIRTIO_BLK_F_BLK_SIZE) |
			    VIRTIO_FEATURE(VIRTIO_BLK_F_FLUSH) |
			    (blk->read_only ? VIRTIO_FEATURE(VIRTIO_BLK_F_RO) : 0),
		.config = &blk->config,
		.config_size = offsetof(struct virtio_blk_config, physical_block_exp),
		.nr_queues = 1,
		.ops = &blk_ops,
	};

	memset(&blk->config, 0, sizeof(blk->config));
	put_le64(&blk->config.capacity, blk->sectors);
	put_le32(&blk->config.seg_max, SEGMENTS_MAX);
	put_le32(&blk->config.blk_size, SECTOR_SIZE);
	return virtio_pci_init(&blk->virtio, &type, memory);
}

int virtio_blk_close(struct virtio_blk *blk)
{
	int err = 0;

	if (!blk->read_only && fdatasync(blk->fd)) {
		err = -errno;
		log_err("disk: cannot write the guest's data to stable storage: %s",
			strerror(-err));
	}
	close(blk->fd);
	blk->fd = -1;
	return err;
}
