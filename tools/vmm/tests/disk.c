// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtio block device and its driver. See disk.h.
 */
#include "disk.h"

#include <fcntl.h>

static void set_line(void *opaque, unsigned int spi, bool level)
{
	(void)spi;
	((struct disk *)opaque)->line = level;
}

uint32_t disk_config_get(struct disk *f, unsigned int offset, unsigned int length)
{
	return pci_config_read(&f->host, (SLOT << 11) + offset, length);
}

void disk_config_put(struct disk *f, unsigned int offset, unsigned int length,
		     uint32_t value)
{
	pci_config_write(&f->host, (SLOT << 11) + offset, length, value);
}

uint64_t disk_get(struct disk *f, uint32_t offset, unsigned int length)
{
	return pci_memory_read(&f->host, offset, length);
}

void disk_put(struct disk *f, uint32_t offset, unsigned int length, uint64_t value)
{
	pci_memory_write(&f->host, offset, length, value);
}

uint8_t disk_status(struct disk *f)
{
	return disk_get(f, f->common + VIRTIO_PCI_COMMON_STATUS, 1);
}

void disk_set_status(struct disk *f, uint8_t status)
{
	disk_put(f, f->common + VIRTIO_PCI_COMMON_STATUS, 1, status);
}

static void find_capabilities(struct disk *f)
{
	unsigned int offset = disk_config_get(f, PCI_CAPABILITY_LIST, 1);
	unsigned int seen = 0;

	while (offset) {
		uint32_t where = disk_config_get(f, offset + VIRTIO_PCI_CAP_OFFSET, 4);

		assert_int_equal(disk_config_get(f, offset, 1), PCI_CAP_ID_VNDR);
		assert_int_equal(disk_config_get(f, offset + VIRTIO_PCI_CAP_BAR, 1), 0);
		seen |= 1U << disk_config_get(f, offset + VIRTIO_PCI_CAP_CFG_TYPE, 1);
		switch (disk_config_get(f, offset + VIRTIO_PCI_CAP_CFG_TYPE, 1)) {
		case VIRTIO_PCI_CAP_COMMON_CFG:
			f->common = where;
			break;
		case VIRTIO_PCI_CAP_NOTIFY_CFG:
			f->notify = where;
			f->notify_multiplier =
				disk_config_get(f, offset + VIRTIO_PCI_NOTIFY_CAP_MULT, 4);
			break;
		case VIRTIO_PCI_CAP_ISR_CFG:
			f->isr = where;
			break;
		case VIRTIO_PCI_CAP_DEVICE_CFG:
			f->config = where;
			break;
		case VIRTIO_PCI_CAP_PCI_CFG:
			f->window = offset;
			break;
		default:
			fail_msg("unknown capability");
		}
		offset = disk_config_get(f, offset + PCI_CAP_LIST_NEXT, 1);
	}
	assert_int_equal(seen, 0x3e);
}

void disk_accept_features(struct disk *f, uint64_t features)
{
	disk_put(f, f->common + VIRTIO_PCI_COMMON_GFSELECT, 4, 0);
	disk_put(f, f->common + VIRTIO_PCI_COMMON_GF, 4, features & 0xffffffff);
	disk_put(f, f->common + VIRTIO_PCI_COMMON_GFSELECT, 4, 1);
	disk_put(f, f->common + VIRTIO_PCI_COMMON_GF, 4, features >> 32);
}

void disk_set_queue(struct disk *f, uint64_t desc, uint64_t avail, uint64_t used)
{
	disk_put(f, f->common + VIRTIO_PCI_COMMON_Q_SELECT, 2, 0);
	disk_put(f, f->common + VIRTIO_PCI_COMMON_Q_SIZE, 2, QUEUE_SIZE);
	disk_put(f, f->common + VIRTIO_PCI_COMMON_Q_DESCLO, 4, desc & 0xffffffff);
	disk_put(f, f->common + VIRTIO_PCI_COMMON_Q_DESCHI, 4, desc >> 32);
	disk_put(f, f->common + VIRTIO_PCI_COMMON_Q_AVAILLO, 4, avail & 0xffffffff);
	disk_put(f, f->common + VIRTIO_PCI_COMMON_Q_AVAILHI, 4, avail >> 32);
	disk_put(f, f->common + VIRTIO_PCI_COMMON_Q_USEDLO, 4, used & 0xffffffff);
	disk_put(f, f->common + VIRTIO_PCI_COMMON_Q_USEDHI, 4, used >> 32);
}

/* Reset the device and initialise it, as every driver does before its first request. */
void disk_start_driver(struct disk *f, uint64_t features)
{
	disk_config_put(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	disk_set_status(f, 0);
	assert_int_equal(disk_status(f), 0);
	disk_set_status(f, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	disk_set_status(f, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	disk_accept_features(f, features);
	disk_set_status(f, ALL_STATUS & ~VIRTIO_CONFIG_S_DRIVER_OK);
	assert_true(disk_status(f) & VIRTIO_CONFIG_S_FEATURES_OK);

	disk_set_queue(f, RING_DESC, RING_AVAIL, RING_USED);
	disk_put(f, f->common + VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	assert_int_equal(disk_get(f, f->common + VIRTIO_PCI_COMMON_Q_ENABLE, 2), 1);
	disk_set_status(f, ALL_STATUS);
	assert_int_equal(disk_status(f), ALL_STATUS);

	f->next_avail = 0;
	set_avail_index(&f->memory, 0);
	set_avail_flags(&f->memory, 0);
	assert_int_equal(guest_memory_store16(&f->memory, RING_USED + 2, 0), 0);
}

static int setup_disk(void **state, int fd, bool read_only, uint64_t features)
{
	struct disk *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_true(fd >= 0);
	assert_int_equal(guest_memory_init(&f->memory, RAM_BASE, TEST_MEMORY_SIZE), 0);
	f->blk.fd = fd;
	f->blk.read_only = read_only;
	f->blk.sectors = DISK_SECTORS;
	f->blk.virtio.pci.irq.set = set_line;
	f->blk.virtio.pci.irq.controller = f;
	assert_int_equal(virtio_blk_init(&f->blk, &f->memory), 0);
	pci_host_init(&f->host, 0);
	assert_int_equal(pci_host_plug(&f->host, SLOT, &f->blk.virtio.pci), 0);
	find_capabilities(f);
	disk_start_driver(f, features);
	*state = f;
	return 0;
}

int disk_setup(void **state)
{
	return setup_disk(state, make_file(DISK_SIZE), false,
			  FEATURES | VIRTIO_FEATURE(VIRTIO_BLK_F_FLUSH));
}

int disk_setup_read_only(void **state)
{
	return setup_disk(state, make_file(DISK_SIZE), true, FEATURES);
}

/* A fixture whose file was truncated, so that the second half of the disk cannot be read. */
int disk_setup_truncated(void **state)
{
	return setup_disk(state, make_file(DISK_SIZE / 2), false, FEATURES);
}

int disk_setup_full(void **state)
{
	return setup_disk(state, open("/dev/full", O_RDWR), false, FEATURES);
}

int disk_teardown(void **state)
{
	struct disk *f = *state;

	close(f->blk.fd);
	guest_memory_destroy(&f->memory);
	free(f);
	return 0;
}

void disk_put_header(struct disk *f, uint32_t type, uint64_t sector)
{
	struct virtio_blk_outhdr header = { };

	put_le32(&header.type, type);
	put_le64(&header.sector, sector);
	assert_int_equal(guest_memory_write(&f->memory, HEADER, &header, sizeof(header)), 0);
}

/* A request of a header and a status, at the first two descriptors. It is not submitted. */
void disk_put_without_data(struct disk *f, uint32_t type)
{
	disk_put_header(f, type, 0);
	put_desc(&f->memory, 0, HEADER, 16, VRING_DESC_F_NEXT, 1);
	put_desc(&f->memory, 1, STATUS, 1, VRING_DESC_F_WRITE, 0);
}

void disk_kick(struct disk *f)
{
	disk_put(f, f->notify, 2, 0);
}

/* Make the chain at @head available and notify the device. */
void disk_submit(struct disk *f, uint16_t head)
{
	put_avail(&f->memory, f->next_avail % QUEUE_SIZE, head);
	set_avail_index(&f->memory, ++f->next_avail);
	disk_kick(f);
}

/* Get the status and the used length of the last request. */
uint8_t disk_answer(struct disk *f, uint32_t *length)
{
	uint8_t status;

	assert_int_equal(used_index(&f->memory), f->next_avail);
	*length = used_elem(&f->memory, (f->next_avail - 1) % QUEUE_SIZE).len;
	assert_int_equal(guest_memory_read(&f->memory, STATUS, &status, 1), 0);
	return status;
}

/* Make a request of header, data and status. */
uint8_t disk_request(struct disk *f, uint32_t type, uint64_t sector, uint32_t length,
		     uint32_t *used)
{
	uint16_t write = type == VIRTIO_BLK_T_OUT ? 0 : VRING_DESC_F_WRITE;
	uint8_t none = 0xff;

	disk_put_header(f, type, sector);
	assert_int_equal(guest_memory_write(&f->memory, STATUS, &none, 1), 0);
	put_desc(&f->memory, 0, HEADER, 16, VRING_DESC_F_NEXT, length ? 1 : 2);
	put_desc(&f->memory, 1, DATA, length, VRING_DESC_F_NEXT | write, 2);
	put_desc(&f->memory, 2, STATUS, 1, VRING_DESC_F_WRITE, 0);
	disk_submit(f, 0);
	return disk_answer(f, used);
}

void disk_assert_sectors(struct disk *f, uint64_t sector, unsigned int count)
{
	uint8_t *expected = malloc(2 * count * 512);
	uint8_t *data = expected + count * 512;

	assert_int_equal(pread(f->blk.fd, expected, count * 512, sector * 512), count * 512);
	assert_int_equal(guest_memory_read(&f->memory, DATA, data, count * 512), 0);
	assert_memory_equal(data, expected, count * 512);
	free(expected);
}

void disk_assert_works(struct disk *f)
{
	uint32_t used;

	assert_int_equal(disk_request(f, VIRTIO_BLK_T_IN, 3, 512, &used), VIRTIO_BLK_S_OK);
	assert_int_equal(used, 513);
	disk_assert_sectors(f, 3, 1);
}

/*
 * Check that the device has failed without an answer, stays failed whatever the driver does, and
 * works after a reset.
 */
void disk_assert_failed(struct disk *f)
{
	uint16_t used = used_index(&f->memory);

	assert_true(disk_status(f) & VIRTIO_CONFIG_S_NEEDS_RESET);
	assert_true(f->line);
	assert_true(disk_get(f, f->isr, 1) & 2);
	assert_false(f->line);
	disk_kick(f);
	disk_set_status(f, ALL_STATUS);
	disk_kick(f);
	assert_int_equal(used_index(&f->memory), used);
	assert_true(disk_status(f) & VIRTIO_CONFIG_S_NEEDS_RESET);

	disk_start_driver(f, FEATURES);
	disk_assert_works(f);
}
