// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: a correct driver gets its data; an incorrect one gets an error, or a device that needs a
 * reset; after the reset the device works again. The tests use the block device as a driver does,
 * by configuration space, registers and rings only.
 */
#include "rings.h"

#include <errno.h>
#include <fcntl.h>

#include <linux/pci_regs.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>

#include "stats.h"
#include "virtio_blk.h"

#define SLOT		1
#define DISK_SECTORS	64
#define DISK_SIZE	(DISK_SECTORS * 512)
#define QUEUE_SIZE	16

/* Addresses of the parts of a request, each in a page of its own. */
#define HEADER		BUFFERS
#define STATUS		(BUFFERS + 0x1000)
#define DATA		(BUFFERS + 0x2000)

#define FEATURES	(VIRTIO_FEATURE(VIRTIO_F_VERSION_1) | \
			 VIRTIO_FEATURE(VIRTIO_F_ACCESS_PLATFORM))
#define ALL_STATUS	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | \
			 VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK)

struct fixture {
	struct guest_memory memory;
	struct pci_host host;
	struct virtio_blk blk;
	uint16_t next_avail;
	bool line;
	/* BAR offsets, found through the capabilities. */
	uint32_t common;
	uint32_t notify;
	uint32_t notify_multiplier;
	uint32_t isr;
	uint32_t config;
	unsigned int window;
};

static void set_line(void *opaque, unsigned int spi, bool level)
{
	(void)spi;
	((struct fixture *)opaque)->line = level;
}

static uint32_t config_get(struct fixture *f, unsigned int offset, unsigned int length)
{
	return pci_config_read(&f->host, (SLOT << 11) + offset, length);
}

static void config_put(struct fixture *f, unsigned int offset, unsigned int length,
		       uint32_t value)
{
	pci_config_write(&f->host, (SLOT << 11) + offset, length, value);
}

static uint64_t get(struct fixture *f, uint32_t offset, unsigned int length)
{
	return pci_memory_read(&f->host, offset, length);
}

static void put(struct fixture *f, uint32_t offset, unsigned int length, uint64_t value)
{
	pci_memory_write(&f->host, offset, length, value);
}

static uint8_t device_status(struct fixture *f)
{
	return get(f, f->common + VIRTIO_PCI_COMMON_STATUS, 1);
}

static void set_status(struct fixture *f, uint8_t status)
{
	put(f, f->common + VIRTIO_PCI_COMMON_STATUS, 1, status);
}

static void find_capabilities(struct fixture *f)
{
	unsigned int offset = config_get(f, PCI_CAPABILITY_LIST, 1);
	unsigned int seen = 0;

	while (offset) {
		uint32_t where = config_get(f, offset + VIRTIO_PCI_CAP_OFFSET, 4);

		assert_int_equal(config_get(f, offset, 1), PCI_CAP_ID_VNDR);
		assert_int_equal(config_get(f, offset + VIRTIO_PCI_CAP_BAR, 1), 0);
		seen |= 1U << config_get(f, offset + VIRTIO_PCI_CAP_CFG_TYPE, 1);
		switch (config_get(f, offset + VIRTIO_PCI_CAP_CFG_TYPE, 1)) {
		case VIRTIO_PCI_CAP_COMMON_CFG:
			f->common = where;
			break;
		case VIRTIO_PCI_CAP_NOTIFY_CFG:
			f->notify = where;
			f->notify_multiplier = config_get(f, offset + VIRTIO_PCI_NOTIFY_CAP_MULT,
							  4);
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
		offset = config_get(f, offset + PCI_CAP_LIST_NEXT, 1);
	}
	assert_int_equal(seen, 0x3e);
}

static void accept_features(struct fixture *f, uint64_t features)
{
	put(f, f->common + VIRTIO_PCI_COMMON_GFSELECT, 4, 0);
	put(f, f->common + VIRTIO_PCI_COMMON_GF, 4, features & 0xffffffff);
	put(f, f->common + VIRTIO_PCI_COMMON_GFSELECT, 4, 1);
	put(f, f->common + VIRTIO_PCI_COMMON_GF, 4, features >> 32);
}

static void set_queue_addresses(struct fixture *f, uint64_t desc, uint64_t avail, uint64_t used)
{
	put(f, f->common + VIRTIO_PCI_COMMON_Q_SELECT, 2, 0);
	put(f, f->common + VIRTIO_PCI_COMMON_Q_SIZE, 2, QUEUE_SIZE);
	put(f, f->common + VIRTIO_PCI_COMMON_Q_DESCLO, 4, desc & 0xffffffff);
	put(f, f->common + VIRTIO_PCI_COMMON_Q_DESCHI, 4, desc >> 32);
	put(f, f->common + VIRTIO_PCI_COMMON_Q_AVAILLO, 4, avail & 0xffffffff);
	put(f, f->common + VIRTIO_PCI_COMMON_Q_AVAILHI, 4, avail >> 32);
	put(f, f->common + VIRTIO_PCI_COMMON_Q_USEDLO, 4, used & 0xffffffff);
	put(f, f->common + VIRTIO_PCI_COMMON_Q_USEDHI, 4, used >> 32);
}

/* Reset the device and initialise it, as every driver does before its first request. */
static void start_driver(struct fixture *f, uint64_t features)
{
	config_put(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	set_status(f, 0);
	assert_int_equal(device_status(f), 0);
	set_status(f, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	set_status(f, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	accept_features(f, features);
	set_status(f, ALL_STATUS & ~VIRTIO_CONFIG_S_DRIVER_OK);
	assert_true(device_status(f) & VIRTIO_CONFIG_S_FEATURES_OK);

	set_queue_addresses(f, RING_DESC, RING_AVAIL, RING_USED);
	put(f, f->common + VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	assert_int_equal(get(f, f->common + VIRTIO_PCI_COMMON_Q_ENABLE, 2), 1);
	set_status(f, ALL_STATUS);
	assert_int_equal(device_status(f), ALL_STATUS);

	f->next_avail = 0;
	set_avail_index(&f->memory, 0);
	set_avail_flags(&f->memory, 0);
	assert_int_equal(guest_memory_store16(&f->memory, RING_USED + 2, 0), 0);
}

static int setup_disk(void **state, int fd, bool read_only, uint64_t features)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_true(fd >= 0);
	assert_int_equal(guest_memory_init(&f->memory, RAM_BASE, TEST_MEMORY_SIZE), 0);
	f->blk.fd = fd;
	f->blk.read_only = read_only;
	f->blk.sectors = DISK_SECTORS;
	f->blk.virtio.pci.irq.set = set_line;
	f->blk.virtio.pci.irq.controller = f;
	assert_int_equal(virtio_blk_init(&f->blk, &f->memory), 0);
	pci_host_init(&f->host);
	assert_int_equal(pci_host_plug(&f->host, SLOT, &f->blk.virtio.pci), 0);
	find_capabilities(f);
	start_driver(f, features);
	*state = f;
	return 0;
}

static int setup(void **state)
{
	return setup_disk(state, make_file(DISK_SIZE), false,
			  FEATURES | VIRTIO_FEATURE(VIRTIO_BLK_F_FLUSH));
}

static int setup_read_only(void **state)
{
	return setup_disk(state, make_file(DISK_SIZE), true, FEATURES);
}

/* A fixture whose file was truncated, so that the second half of the disk cannot be read. */
static int setup_truncated(void **state)
{
	return setup_disk(state, make_file(DISK_SIZE / 2), false, FEATURES);
}

static int setup_full(void **state)
{
	return setup_disk(state, open("/dev/full", O_RDWR), false, FEATURES);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close(f->blk.fd);
	guest_memory_destroy(&f->memory);
	free(f);
	return 0;
}

static void put_header(struct fixture *f, uint32_t type, uint64_t sector)
{
	struct virtio_blk_outhdr header = { };

	put_le32(&header.type, type);
	put_le64(&header.sector, sector);
	assert_int_equal(guest_memory_write(&f->memory, HEADER, &header, sizeof(header)), 0);
}

static void kick(struct fixture *f)
{
	put(f, f->notify, 2, 0);
}

/* Make the chain at @head available and notify the device. */
static void submit(struct fixture *f, uint16_t head)
{
	put_avail(&f->memory, f->next_avail % QUEUE_SIZE, head);
	set_avail_index(&f->memory, ++f->next_avail);
	kick(f);
}

/* Get the status and the used length of the last request. */
static uint8_t answer(struct fixture *f, uint32_t *length)
{
	uint8_t status;

	assert_int_equal(used_index(&f->memory), f->next_avail);
	*length = used_elem(&f->memory, (f->next_avail - 1) % QUEUE_SIZE).len;
	assert_int_equal(guest_memory_read(&f->memory, STATUS, &status, 1), 0);
	return status;
}

/* Make a request of header, data and status. */
static uint8_t request(struct fixture *f, uint32_t type, uint64_t sector, uint32_t length,
		       uint32_t *used)
{
	uint16_t write = type == VIRTIO_BLK_T_OUT ? 0 : VRING_DESC_F_WRITE;
	uint8_t none = 0xff;

	put_header(f, type, sector);
	assert_int_equal(guest_memory_write(&f->memory, STATUS, &none, 1), 0);
	put_desc(&f->memory, 0, HEADER, 16, VRING_DESC_F_NEXT, length ? 1 : 2);
	put_desc(&f->memory, 1, DATA, length, VRING_DESC_F_NEXT | write, 2);
	put_desc(&f->memory, 2, STATUS, 1, VRING_DESC_F_WRITE, 0);
	submit(f, 0);
	return answer(f, used);
}

static void assert_sectors(struct fixture *f, uint64_t sector, unsigned int count)
{
	uint8_t *expected = malloc(2 * count * 512);
	uint8_t *data = expected + count * 512;

	assert_int_equal(pread(f->blk.fd, expected, count * 512, sector * 512), count * 512);
	assert_int_equal(guest_memory_read(&f->memory, DATA, data, count * 512), 0);
	assert_memory_equal(data, expected, count * 512);
	free(expected);
}

static void assert_works(struct fixture *f)
{
	uint32_t used;

	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 3, 512, &used), VIRTIO_BLK_S_OK);
	assert_int_equal(used, 513);
	assert_sectors(f, 3, 1);
}

/*
 * Check that the device has failed without an answer, stays failed whatever the driver does, and
 * works after a reset.
 */
static void assert_failed(struct fixture *f)
{
	uint16_t used = used_index(&f->memory);

	assert_true(device_status(f) & VIRTIO_CONFIG_S_NEEDS_RESET);
	assert_true(f->line);
	assert_true(get(f, f->isr, 1) & 2);
	assert_false(f->line);
	kick(f);
	set_status(f, ALL_STATUS);
	kick(f);
	assert_int_equal(used_index(&f->memory), used);
	assert_true(device_status(f) & VIRTIO_CONFIG_S_NEEDS_RESET);

	start_driver(f, FEATURES);
	assert_works(f);
}

static void test_identity(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(config_get(f, PCI_VENDOR_ID, 4), 0x10421af4);
	assert_true(config_get(f, PCI_REVISION_ID, 1) >= 1);
	assert_int_equal(get(f, f->config, 4), DISK_SECTORS);
	assert_int_equal(get(f, f->config + 4, 4), 0);
	assert_int_equal(get(f, f->common + VIRTIO_PCI_COMMON_NUMQ, 2), 1);
	assert_int_equal(get(f, f->common + VIRTIO_PCI_COMMON_MSIX, 2), VIRTIO_MSI_NO_VECTOR);
}

static void test_feature_bits(void **state)
{
	struct fixture *f = *state;
	uint64_t features;

	put(f, f->common + VIRTIO_PCI_COMMON_DFSELECT, 4, 0);
	features = get(f, f->common + VIRTIO_PCI_COMMON_DF, 4);
	put(f, f->common + VIRTIO_PCI_COMMON_DFSELECT, 4, 1);
	features |= get(f, f->common + VIRTIO_PCI_COMMON_DF, 4) << 32;
	assert_true((features & FEATURES) == FEATURES);
	assert_true(features & VIRTIO_FEATURE(VIRTIO_BLK_F_FLUSH));
	assert_false(features & VIRTIO_FEATURE(VIRTIO_BLK_F_RO));
	put(f, f->common + VIRTIO_PCI_COMMON_DFSELECT, 4, 2);
	assert_int_equal(get(f, f->common + VIRTIO_PCI_COMMON_DF, 4), 0);
	put(f, f->common + VIRTIO_PCI_COMMON_DFSELECT, 4, 0xffffffff);
	assert_int_equal(get(f, f->common + VIRTIO_PCI_COMMON_DF, 4), 0);
}

/* The device refuses features without the two required ones, or with one not offered. */
static void test_features_refused(void **state)
{
	static const uint64_t bad[] = {
		0,
		VIRTIO_FEATURE(VIRTIO_F_VERSION_1),
		VIRTIO_FEATURE(VIRTIO_F_ACCESS_PLATFORM),
		FEATURES | VIRTIO_FEATURE(VIRTIO_RING_F_INDIRECT_DESC),
		FEATURES | VIRTIO_FEATURE(VIRTIO_BLK_F_RO),
		FEATURES | VIRTIO_FEATURE(63),
	};
	struct fixture *f = *state;
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		set_status(f, 0);
		set_status(f, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
		accept_features(f, bad[i]);
		set_status(f, ALL_STATUS);
		assert_int_equal(device_status(f),
				 VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	}
}

/* The driver cannot set the device's own status bits, or unknown ones. */
static void test_status_bits(void **state)
{
	struct fixture *f = *state;

	set_status(f, 0xff & ~VIRTIO_CONFIG_S_FAILED);
	assert_int_equal(device_status(f), ALL_STATUS);
	assert_works(f);
	set_status(f, VIRTIO_CONFIG_S_FAILED);
	assert_int_equal(device_status(f), ALL_STATUS | VIRTIO_CONFIG_S_FAILED);
}

/* Negotiated features do not change until the next reset. */
static void test_features_are_final(void **state)
{
	struct fixture *f = *state;

	accept_features(f, 0);
	assert_true(virtio_pci_has_feature(&f->blk.virtio, VIRTIO_F_VERSION_1));
	set_status(f, 0);
	assert_false(virtio_pci_has_feature(&f->blk.virtio, VIRTIO_F_VERSION_1));
}

static void test_read(void **state)
{
	struct fixture *f = *state;
	uint32_t used;

	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 0, DISK_SIZE, &used), VIRTIO_BLK_S_OK);
	assert_int_equal(used, DISK_SIZE + 1);
	assert_sectors(f, 0, DISK_SECTORS);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, DISK_SECTORS - 1, 512, &used),
			 VIRTIO_BLK_S_OK);
	assert_sectors(f, DISK_SECTORS - 1, 1);
}

static void test_write(void **state)
{
	struct fixture *f = *state;
	uint8_t before[512], after[512], data[1024];
	uint32_t used;

	memset(data, 0xa5, sizeof(data));
	assert_int_equal(pread(f->blk.fd, before, 512, 4 * 512), 512);
	assert_int_equal(guest_memory_write(&f->memory, DATA, data, sizeof(data)), 0);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 2, 1024, &used), VIRTIO_BLK_S_OK);
	assert_int_equal(used, 1);
	assert_int_equal(pread(f->blk.fd, after, 512, 3 * 512), 512);
	assert_memory_equal(after, data, 512);
	assert_int_equal(pread(f->blk.fd, after, 512, 4 * 512), 512);
	assert_memory_equal(after, before, 512);
	assert_int_equal(request(f, VIRTIO_BLK_T_FLUSH, 0, 0, &used), VIRTIO_BLK_S_OK);
}

/* A driver may split a request into any buffers (virtio 1.1, 2.6.4). */
static void test_any_framing(void **state)
{
	struct fixture *f = *state;
	uint32_t used;
	unsigned int i;

	put_header(f, VIRTIO_BLK_T_IN, 5);
	put_desc(&f->memory, 0, HEADER, 3, VRING_DESC_F_NEXT, 1);
	put_desc(&f->memory, 1, HEADER + 3, 13, VRING_DESC_F_NEXT, 2);
	for (i = 0; i < 4; i++)
		put_desc(&f->memory, 2 + i, DATA + 100 * i, 100,
			 VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 3 + i);
	/* The last one holds 112 bytes of data and the status. */
	put_desc(&f->memory, 6, DATA + 400, 113, VRING_DESC_F_WRITE, 0);
	submit(f, 0);
	answer(f, &used);
	assert_int_equal(used, 513);
	assert_sectors(f, 5, 1);
	assert_int_equal(f->memory.host[DATA - RAM_BASE + 512], VIRTIO_BLK_S_OK);
}

static void test_get_id(void **state)
{
	struct fixture *f = *state;
	char id[VIRTIO_BLK_ID_BYTES];
	uint32_t used;

	assert_int_equal(request(f, VIRTIO_BLK_T_GET_ID, 0, sizeof(id), &used), VIRTIO_BLK_S_OK);
	assert_int_equal(used, sizeof(id) + 1);
	assert_int_equal(guest_memory_read(&f->memory, DATA, id, sizeof(id)), 0);
	assert_string_equal(id, "vmm-disk");
	/* A shorter buffer gets the start of the id, and no byte behind it changes. */
	f->memory.host[DATA - RAM_BASE + 3] = 0x77;
	assert_int_equal(request(f, VIRTIO_BLK_T_GET_ID, 0, 3, &used), VIRTIO_BLK_S_OK);
	assert_int_equal(f->memory.host[DATA - RAM_BASE + 3], 0x77);
}

static void test_unsupported(void **state)
{
	static const uint32_t types[] = { 2, 3, 5, 11, 13, 0x80000000, 0xffffffff };
	struct fixture *f = *state;
	uint32_t used;
	unsigned int i;

	for (i = 0; i < sizeof(types) / sizeof(*types); i++)
		assert_int_equal(request(f, types[i], 0, 512, &used), VIRTIO_BLK_S_UNSUPP);
	assert_works(f);
}

/* A request beyond the end of the disk fails, whatever its sector and length. */
static void test_beyond_the_end(void **state)
{
	static const struct {
		uint64_t sector;
		uint32_t length;
	} cases[] = {
		{ DISK_SECTORS, 512 },
		{ DISK_SECTORS - 1, 1024 },
		{ 0, DISK_SIZE + 512 },
		{ UINT64_MAX, 512 },
		{ UINT64_MAX / 512 + 1, 512 },
		{ UINT64_MAX - 1, 1024 },
	};
	struct fixture *f = *state;
	uint32_t used;
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(request(f, VIRTIO_BLK_T_IN, cases[i].sector, cases[i].length,
					 &used), VIRTIO_BLK_S_IOERR);
		assert_int_equal(request(f, VIRTIO_BLK_T_OUT, cases[i].sector, cases[i].length,
					 &used), VIRTIO_BLK_S_IOERR);
	}
	assert_int_equal(lseek(f->blk.fd, 0, SEEK_END), DISK_SIZE);
	assert_works(f);
}

static void test_odd_length(void **state)
{
	struct fixture *f = *state;
	uint32_t used;

	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 0, 511, &used), VIRTIO_BLK_S_IOERR);
	assert_int_equal(used, 0);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 0, 513, &used), VIRTIO_BLK_S_IOERR);
	assert_works(f);
}

/* A read-only disk has the feature bit, refuses writes, and does not change. */
static void test_read_only(void **state)
{
	struct fixture *f = *state;
	uint8_t before[512], after[512];
	uint32_t used;

	put(f, f->common + VIRTIO_PCI_COMMON_DFSELECT, 4, 0);
	assert_true(get(f, f->common + VIRTIO_PCI_COMMON_DF, 4) &
		    VIRTIO_FEATURE(VIRTIO_BLK_F_RO));
	assert_int_equal(pread(f->blk.fd, before, 512, 0), 512);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 0, 512, &used), VIRTIO_BLK_S_IOERR);
	assert_int_equal(pread(f->blk.fd, after, 512, 0), 512);
	assert_memory_equal(after, before, 512);
	assert_int_equal(request(f, VIRTIO_BLK_T_FLUSH, 0, 0, &used), VIRTIO_BLK_S_OK);
	assert_works(f);
}

/* A read error affects only requests that include a bad sector. */
static void test_disk_error(void **state)
{
	struct fixture *f = *state;
	uint64_t errors = stat_get(STAT_DISK_ERRORS);
	uint32_t used;

	assert_int_equal(request(f, VIRTIO_BLK_T_IN, DISK_SECTORS / 2, 512, &used),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, DISK_SECTORS / 2 - 1, 1024, &used),
			 VIRTIO_BLK_S_IOERR);
	assert_true(used < 1024);
	assert_int_equal(stat_get(STAT_DISK_ERRORS) - errors, 2);
	assert_works(f);
}

static void test_disk_full(void **state)
{
	struct fixture *f = *state;
	uint32_t used;

	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 0, 512, &used), VIRTIO_BLK_S_IOERR);
	assert_int_equal(device_status(f), ALL_STATUS);
}

/* A request whose data is private fails with a status. */
static void test_private_data(void **state)
{
	struct fixture *f = *state;
	uint32_t used;

	make_private(&f->memory, DATA);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 0, 512, &used), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 0, 512, &used), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_GET_ID, 0, 20, &used), VIRTIO_BLK_S_IOERR);
	make_shared(&f->memory, DATA);
	make_private(&f->memory, DATA + TEST_PAGE);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 0, 2 * TEST_PAGE, &used),
			 VIRTIO_BLK_S_IOERR);
	assert_true(used <= TEST_PAGE);
	assert_works(f);
}

/* A request with a private header, status or ring cannot be answered: the device fails. */
static void test_private_header(void **state)
{
	struct fixture *f = *state;

	put_header(f, VIRTIO_BLK_T_IN, 0);
	put_desc(&f->memory, 0, HEADER, 16, VRING_DESC_F_NEXT, 1);
	put_desc(&f->memory, 1, STATUS, 1, VRING_DESC_F_WRITE, 0);
	make_private(&f->memory, HEADER);
	submit(f, 0);
	make_shared(&f->memory, HEADER);
	assert_failed(f);
}

static void test_private_status(void **state)
{
	struct fixture *f = *state;

	put_header(f, VIRTIO_BLK_T_FLUSH, 0);
	put_desc(&f->memory, 0, HEADER, 16, VRING_DESC_F_NEXT, 1);
	put_desc(&f->memory, 1, STATUS, 1, VRING_DESC_F_WRITE, 0);
	make_private(&f->memory, STATUS);
	submit(f, 0);
	make_shared(&f->memory, STATUS);
	assert_failed(f);
}

static void test_private_rings(void **state)
{
	static const uint64_t rings[] = { RING_DESC, RING_AVAIL, RING_USED };
	struct fixture *f = *state;
	unsigned int i;

	for (i = 0; i < sizeof(rings) / sizeof(*rings); i++) {
		put_header(f, VIRTIO_BLK_T_FLUSH, 0);
		put_desc(&f->memory, 0, HEADER, 16, VRING_DESC_F_NEXT, 1);
		put_desc(&f->memory, 1, STATUS, 1, VRING_DESC_F_WRITE, 0);
		put_avail(&f->memory, f->next_avail % QUEUE_SIZE, 0);
		set_avail_index(&f->memory, f->next_avail + 1);
		make_private(&f->memory, rings[i]);
		kick(f);
		make_shared(&f->memory, rings[i]);
		assert_failed(f);
	}
}

static void test_no_header(void **state)
{
	struct fixture *f = *state;

	put_desc(&f->memory, 0, HEADER, 15, VRING_DESC_F_NEXT, 1);
	put_desc(&f->memory, 1, STATUS, 1, VRING_DESC_F_WRITE, 0);
	submit(f, 0);
	assert_failed(f);
	put_desc(&f->memory, 0, DATA, 1024, VRING_DESC_F_WRITE, 0);
	submit(f, 0);
	assert_failed(f);
}

static void test_no_status(void **state)
{
	struct fixture *f = *state;

	put_header(f, VIRTIO_BLK_T_OUT, 0);
	put_desc(&f->memory, 0, HEADER, 16, VRING_DESC_F_NEXT, 1);
	put_desc(&f->memory, 1, DATA, 512, 0, 0);
	submit(f, 0);
	assert_failed(f);
}

static void test_bad_chains(void **state)
{
	struct fixture *f = *state;

	put_desc(&f->memory, 0, HEADER, 16, VRING_DESC_F_NEXT, 0);
	submit(f, 0);
	assert_failed(f);
	put_desc(&f->memory, 0, 0, 16, 0, 0);
	submit(f, 0);
	assert_failed(f);
	submit(f, QUEUE_SIZE);
	assert_failed(f);
	set_avail_index(&f->memory, 0x8000);
	kick(f);
	assert_failed(f);
}

/* The device answers a valid chain before an invalid one. */
static void test_good_then_bad(void **state)
{
	struct fixture *f = *state;

	put_header(f, VIRTIO_BLK_T_FLUSH, 0);
	put_desc(&f->memory, 0, HEADER, 16, VRING_DESC_F_NEXT, 1);
	put_desc(&f->memory, 1, STATUS, 1, VRING_DESC_F_WRITE, 0);
	put_avail(&f->memory, 0, 0);
	put_avail(&f->memory, 1, QUEUE_SIZE);
	set_avail_index(&f->memory, 2);
	kick(f);
	assert_int_equal(used_index(&f->memory), 1);
	assert_failed(f);
}

/* Enabling a queue with an invalid address makes the device fail. */
static void test_queue_outside(void **state)
{
	struct fixture *f = *state;

	set_status(f, 0);
	set_status(f, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	accept_features(f, FEATURES);
	set_status(f, ALL_STATUS & ~VIRTIO_CONFIG_S_DRIVER_OK);
	set_queue_addresses(f, RAM_BASE + TEST_MEMORY_SIZE, RING_AVAIL, RING_USED);
	put(f, f->common + VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	assert_int_equal(get(f, f->common + VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
	assert_true(device_status(f) & VIRTIO_CONFIG_S_NEEDS_RESET);
	start_driver(f, FEATURES);
	assert_works(f);
}

/* The device ignores queue sizes that are not a power of two, or too large. */
static void test_queue_size(void **state)
{
	static const uint16_t bad[] = { 0, 3, 512, 0x8000, 0xffff };
	struct fixture *f = *state;
	unsigned int i;

	/* The size of an enabled queue does not change. */
	put(f, f->common + VIRTIO_PCI_COMMON_Q_SIZE, 2, 8);
	put(f, f->common + VIRTIO_PCI_COMMON_Q_DESCLO, 4, 0);
	assert_int_equal(get(f, f->common + VIRTIO_PCI_COMMON_Q_SIZE, 2), QUEUE_SIZE);
	assert_works(f);

	set_status(f, 0);
	assert_int_equal(get(f, f->common + VIRTIO_PCI_COMMON_Q_SIZE, 2), VIRTQUEUE_MAX_SIZE);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		put(f, f->common + VIRTIO_PCI_COMMON_Q_SIZE, 2, bad[i]);
		assert_int_equal(get(f, f->common + VIRTIO_PCI_COMMON_Q_SIZE, 2),
				 VIRTQUEUE_MAX_SIZE);
	}
	/* There is only one queue. */
	put(f, f->common + VIRTIO_PCI_COMMON_Q_SELECT, 2, 1);
	assert_int_equal(get(f, f->common + VIRTIO_PCI_COMMON_Q_SIZE, 2), 0);
	put(f, f->common + VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	put(f, f->common + VIRTIO_PCI_COMMON_Q_SELECT, 2, 0xffff);
	put(f, f->common + VIRTIO_PCI_COMMON_Q_DESCLO, 4, 1);
	start_driver(f, FEATURES);
	assert_works(f);
}

/* The device accesses no memory before DRIVER_OK and without bus mastering. */
static void test_not_ready(void **state)
{
	struct fixture *f = *state;

	put_header(f, VIRTIO_BLK_T_FLUSH, 0);
	put_desc(&f->memory, 0, HEADER, 16, VRING_DESC_F_NEXT, 1);
	put_desc(&f->memory, 1, STATUS, 1, VRING_DESC_F_WRITE, 0);

	config_put(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	submit(f, 0);
	assert_int_equal(used_index(&f->memory), 0);
	config_put(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	kick(f);
	assert_int_equal(used_index(&f->memory), 1);

	set_status(f, 0);
	kick(f);
	assert_int_equal(used_index(&f->memory), 1);
	assert_int_equal(device_status(f), 0);
	/* A notification of a queue that does not exist is ignored. */
	start_driver(f, FEATURES);
	put(f, f->notify + f->notify_multiplier, 2, 1);
	put(f, f->notify + 0xffc, 2, 0);
	assert_works(f);
}

static void test_interrupts(void **state)
{
	struct fixture *f = *state;

	assert_false(f->line);
	assert_works(f);
	assert_true(f->line);
	assert_int_equal(get(f, f->isr, 1), 1);
	assert_false(f->line);
	assert_int_equal(get(f, f->isr, 1), 0);

	set_avail_flags(&f->memory, VRING_AVAIL_F_NO_INTERRUPT);
	assert_works(f);
	assert_false(f->line);

	set_avail_flags(&f->memory, 0);
	assert_works(f);
	assert_true(f->line);
	set_status(f, 0);
	assert_false(f->line);
}

/* The device answers all chains of a notification, in order. */
static void test_batch(void **state)
{
	struct fixture *f = *state;
	unsigned int i;

	put_header(f, VIRTIO_BLK_T_FLUSH, 0);
	put_desc(&f->memory, 4, STATUS, 1, VRING_DESC_F_WRITE, 0);
	for (i = 0; i < 4; i++) {
		put_desc(&f->memory, i, HEADER, 16, VRING_DESC_F_NEXT, 4);
		put_avail(&f->memory, i, i);
	}
	set_avail_index(&f->memory, 4);
	kick(f);
	assert_int_equal(used_index(&f->memory), 4);
	for (i = 0; i < 4; i++)
		assert_int_equal(used_elem(&f->memory, i).id, i);
}

/* The window in configuration space accesses the same registers. */
static void test_config_window(void **state)
{
	struct fixture *f = *state;
	unsigned int data = f->window + offsetof(struct virtio_pci_cfg_cap, pci_cfg_data);

	config_put(f, f->window + VIRTIO_PCI_CAP_BAR, 1, 0);
	config_put(f, f->window + VIRTIO_PCI_CAP_OFFSET, 4, f->config);
	config_put(f, f->window + VIRTIO_PCI_CAP_LENGTH, 4, 4);
	assert_int_equal(config_get(f, data, 4), DISK_SECTORS);
	config_put(f, f->window + VIRTIO_PCI_CAP_OFFSET, 4,
		   f->common + VIRTIO_PCI_COMMON_STATUS);
	config_put(f, f->window + VIRTIO_PCI_CAP_LENGTH, 4, 1);
	assert_int_equal(config_get(f, data, 1), ALL_STATUS);
	config_put(f, data, 1, 0);
	assert_int_equal(device_status(f), 0);
}

/* The window does not reach outside of the BAR. */
static void test_config_window_bounds(void **state)
{
	static const struct {
		uint8_t bar;
		uint32_t offset;
		uint32_t length;
	} cases[] = {
		{ 0, 0, 0 }, { 0, 0, 3 }, { 0, 0, 8 }, { 0, 0, 0xffffffff },
		{ 0, 0x4000, 4 }, { 0, 0xfffffffc, 4 }, { 0, 2, 4 }, { 0, 0x3fff, 2 },
		{ 1, 4, 4 }, { 5, 4, 4 }, { 6, 4, 4 }, { 255, 4, 4 },
	};
	struct fixture *f = *state;
	unsigned int data = f->window + offsetof(struct virtio_pci_cfg_cap, pci_cfg_data);
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		config_put(f, f->window + VIRTIO_PCI_CAP_BAR, 1, cases[i].bar);
		config_put(f, f->window + VIRTIO_PCI_CAP_OFFSET, 4, cases[i].offset);
		config_put(f, f->window + VIRTIO_PCI_CAP_LENGTH, 4, cases[i].length);
		/* The data field keeps what was written, as no register is accessed. */
		config_put(f, data, 4, 0x5eed5eed);
		assert_int_equal(config_get(f, data, 4), 0x5eed5eed);
	}
	assert_int_equal(device_status(f), ALL_STATUS);
	assert_works(f);
}

/* Device configuration is read-only and reads as 0 beyond its end. */
static void test_device_config(void **state)
{
	struct fixture *f = *state;

	put(f, f->config, 4, 0xffffffff);
	put(f, f->config, 8, UINT64_MAX);
	assert_int_equal(get(f, f->config, 4), DISK_SECTORS);
	assert_int_equal(get(f, f->config + f->blk.virtio.config_size, 1), 0);
	assert_int_equal(get(f, f->config + 0xff8, 8), 0);
}

/* After random accesses with random rings, a reset makes the device work again. */
static void test_random_accesses(void **state)
{
	static const unsigned int lengths[] = { 1, 2, 4, 8 };
	struct fixture *f = *state;
	unsigned int round, i;

	srand(4);
	for (round = 0; round < 200; round++) {
		start_driver(f, FEATURES);
		for (i = 0; i < 0x800; i++)
			f->memory.host[RING_DESC - RAM_BASE + i] = rand() % 4 ? rand() % 3 : rand();
		for (i = 0; i < 200; i++) {
			unsigned int length = lengths[rand() % 4];
			uint32_t offset = rand() % 4 * 0x1000 + rand() % 0x50 / length * length;

			if (rand() % 2)
				put(f, offset, length, rand() % 2 ? rand() : rand() % 0x20);
			else
				get(f, offset, length);
			if (rand() % 8 == 0) {
				set_avail_index(&f->memory, rand() % 2 ? rand() : rand() % 4);
				kick(f);
			}
		}
	}
	put(f, f->common + VIRTIO_PCI_COMMON_Q_SELECT, 2, 0);
	start_driver(f, FEATURES);
	assert_works(f);
}

static void test_open(void **state)
{
	char path[] = "/tmp/vmm-test-XXXXXX";
	int fd = mkstemp(path);
	struct virtio_blk blk;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(virtio_blk_open(&blk, path, true), -EINVAL);
	assert_int_equal(ftruncate(fd, 513), 0);
	assert_int_equal(virtio_blk_open(&blk, path, true), -EINVAL);
	assert_int_equal(ftruncate(fd, 511), 0);
	assert_int_equal(virtio_blk_open(&blk, path, true), -EINVAL);
	assert_int_equal(ftruncate(fd, 1024), 0);
	assert_int_equal(virtio_blk_open(&blk, path, true), 0);
	assert_int_equal(blk.sectors, 2);
	assert_true(pwrite(blk.fd, "x", 1, 0) < 0);
	assert_int_equal(virtio_blk_close(&blk), 0);
	assert_int_equal(virtio_blk_open(&blk, path, false), 0);
	assert_int_equal(pwrite(blk.fd, "x", 1, 0), 1);
	assert_int_equal(virtio_blk_close(&blk), 0);
	assert_int_equal(unlink(path), 0);
	close(fd);
	assert_int_equal(virtio_blk_open(&blk, path, true), -ENOENT);
	assert_int_equal(virtio_blk_open(&blk, "/tmp", true), -EINVAL);
	assert_int_equal(virtio_blk_open(&blk, "/dev/null", true), -EINVAL);
}

#define TEST(name)		cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_ON(disk, name)	cmocka_unit_test_setup_teardown(name, setup_##disk, teardown)

int main(void)
{
	const struct cmocka_test tests[] = {
		TEST(test_identity),
		TEST(test_feature_bits),
		TEST(test_features_refused),
		TEST(test_features_are_final),
		TEST(test_status_bits),
		TEST(test_read),
		TEST(test_write),
		TEST(test_any_framing),
		TEST(test_get_id),
		TEST(test_unsupported),
		TEST(test_beyond_the_end),
		TEST(test_odd_length),
		TEST_ON(read_only, test_read_only),
		TEST_ON(truncated, test_disk_error),
		TEST_ON(full, test_disk_full),
		TEST(test_private_data),
		TEST(test_private_header),
		TEST(test_private_status),
		TEST(test_private_rings),
		TEST(test_no_header),
		TEST(test_no_status),
		TEST(test_bad_chains),
		TEST(test_good_then_bad),
		TEST(test_queue_outside),
		TEST(test_queue_size),
		TEST(test_not_ready),
		TEST(test_interrupts),
		TEST(test_batch),
		TEST(test_config_window),
		TEST(test_config_window_bounds),
		TEST(test_device_config),
		TEST(test_random_accesses),
		cmocka_unit_test(test_open),
	};

	return cmocka_run_group_tests_name("virtio", tests, NULL, NULL);
}
