// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: features, status, queues and interrupts of a device are those of virtio 1.1; whatever a
 * driver writes to registers, the VMM does not crash, and a reset makes the device work again.
 */
#include "disk.h"

static void test_identity(void **state)
{
	struct disk *f = *state;

	assert_int_equal(disk_config_get(f, PCI_VENDOR_ID, 4), 0x10421af4);
	assert_true(disk_config_get(f, PCI_REVISION_ID, 1) >= 1);
	assert_int_equal(disk_get(f, f->config, 4), DISK_SECTORS);
	assert_int_equal(disk_get(f, f->config + 4, 4), 0);
	assert_int_equal(disk_get(f, f->common + VIRTIO_PCI_COMMON_NUMQ, 2), 1);
	assert_int_equal(disk_get(f, f->common + VIRTIO_PCI_COMMON_MSIX, 2), VIRTIO_MSI_NO_VECTOR);
}

static void test_feature_bits(void **state)
{
	struct disk *f = *state;
	uint64_t features;

	disk_put(f, f->common + VIRTIO_PCI_COMMON_DFSELECT, 4, 0);
	features = disk_get(f, f->common + VIRTIO_PCI_COMMON_DF, 4);
	disk_put(f, f->common + VIRTIO_PCI_COMMON_DFSELECT, 4, 1);
	features |= disk_get(f, f->common + VIRTIO_PCI_COMMON_DF, 4) << 32;
	assert_true((features & FEATURES) == FEATURES);
	assert_true(features & VIRTIO_FEATURE(VIRTIO_BLK_F_FLUSH));
	assert_false(features & VIRTIO_FEATURE(VIRTIO_BLK_F_RO));
	disk_put(f, f->common + VIRTIO_PCI_COMMON_DFSELECT, 4, 2);
	assert_int_equal(disk_get(f, f->common + VIRTIO_PCI_COMMON_DF, 4), 0);
	disk_put(f, f->common + VIRTIO_PCI_COMMON_DFSELECT, 4, 0xffffffff);
	assert_int_equal(disk_get(f, f->common + VIRTIO_PCI_COMMON_DF, 4), 0);
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
	struct disk *f = *state;
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		disk_set_status(f, 0);
		disk_set_status(f, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
		disk_accept_features(f, bad[i]);
		disk_set_status(f, ALL_STATUS);
		assert_int_equal(disk_status(f),
				 VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	}
}

/* The driver cannot set the device's own status bits, or unknown ones. */
static void test_status_bits(void **state)
{
	struct disk *f = *state;

	disk_set_status(f, 0xff & ~VIRTIO_CONFIG_S_FAILED);
	assert_int_equal(disk_status(f), ALL_STATUS);
	disk_assert_works(f);
	disk_set_status(f, VIRTIO_CONFIG_S_FAILED);
	assert_int_equal(disk_status(f), ALL_STATUS | VIRTIO_CONFIG_S_FAILED);
}

/* Negotiated features do not change until the next reset. */
static void test_features_are_final(void **state)
{
	struct disk *f = *state;

	disk_accept_features(f, 0);
	assert_true(virtio_pci_has_feature(&f->blk.virtio, VIRTIO_F_VERSION_1));
	disk_set_status(f, 0);
	assert_false(virtio_pci_has_feature(&f->blk.virtio, VIRTIO_F_VERSION_1));
}

/* Enabling a queue with an invalid address makes the device fail. */
static void test_queue_outside(void **state)
{
	struct disk *f = *state;

	disk_set_status(f, 0);
	disk_set_status(f, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	disk_accept_features(f, FEATURES);
	disk_set_status(f, ALL_STATUS & ~VIRTIO_CONFIG_S_DRIVER_OK);
	disk_set_queue(f, RAM_BASE + TEST_MEMORY_SIZE, RING_AVAIL, RING_USED);
	disk_put(f, f->common + VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	assert_int_equal(disk_get(f, f->common + VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
	assert_true(disk_status(f) & VIRTIO_CONFIG_S_NEEDS_RESET);
	disk_start_driver(f, FEATURES);
	disk_assert_works(f);
}

/* The device ignores queue sizes that are not a power of two, or too large. */
static void test_queue_size(void **state)
{
	static const uint16_t bad[] = { 0, 3, 512, 0x8000, 0xffff };
	struct disk *f = *state;
	unsigned int i;

	/* The size of an enabled queue does not change. */
	disk_put(f, f->common + VIRTIO_PCI_COMMON_Q_SIZE, 2, 8);
	disk_put(f, f->common + VIRTIO_PCI_COMMON_Q_DESCLO, 4, 0);
	assert_int_equal(disk_get(f, f->common + VIRTIO_PCI_COMMON_Q_SIZE, 2), QUEUE_SIZE);
	disk_assert_works(f);

	disk_set_status(f, 0);
	assert_int_equal(disk_get(f, f->common + VIRTIO_PCI_COMMON_Q_SIZE, 2), VIRTQUEUE_MAX_SIZE);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		disk_put(f, f->common + VIRTIO_PCI_COMMON_Q_SIZE, 2, bad[i]);
		assert_int_equal(disk_get(f, f->common + VIRTIO_PCI_COMMON_Q_SIZE, 2),
				 VIRTQUEUE_MAX_SIZE);
	}
	/* There is only one queue. */
	disk_put(f, f->common + VIRTIO_PCI_COMMON_Q_SELECT, 2, 1);
	assert_int_equal(disk_get(f, f->common + VIRTIO_PCI_COMMON_Q_SIZE, 2), 0);
	disk_put(f, f->common + VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	disk_put(f, f->common + VIRTIO_PCI_COMMON_Q_SELECT, 2, 0xffff);
	disk_put(f, f->common + VIRTIO_PCI_COMMON_Q_DESCLO, 4, 1);
	disk_start_driver(f, FEATURES);
	disk_assert_works(f);
}

/* The device accesses no memory before DRIVER_OK and without bus mastering. */
static void test_not_ready(void **state)
{
	struct disk *f = *state;

	disk_put_without_data(f, VIRTIO_BLK_T_FLUSH);

	disk_config_put(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	disk_submit(f, 0);
	assert_int_equal(used_index(&f->memory), 0);
	disk_config_put(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	disk_kick(f);
	assert_int_equal(used_index(&f->memory), 1);

	disk_set_status(f, 0);
	disk_kick(f);
	assert_int_equal(used_index(&f->memory), 1);
	assert_int_equal(disk_status(f), 0);
	/* A notification of a queue that does not exist is ignored. */
	disk_start_driver(f, FEATURES);
	disk_put(f, f->notify + f->notify_multiplier, 2, 1);
	disk_put(f, f->notify + 0xffc, 2, 0);
	disk_assert_works(f);
}

static void test_interrupts(void **state)
{
	struct disk *f = *state;

	assert_false(f->line);
	disk_assert_works(f);
	assert_true(f->line);
	assert_int_equal(disk_get(f, f->isr, 1), 1);
	assert_false(f->line);
	assert_int_equal(disk_get(f, f->isr, 1), 0);

	set_avail_flags(&f->memory, VRING_AVAIL_F_NO_INTERRUPT);
	disk_assert_works(f);
	assert_false(f->line);

	set_avail_flags(&f->memory, 0);
	disk_assert_works(f);
	assert_true(f->line);
	disk_set_status(f, 0);
	assert_false(f->line);
}

/* The window in configuration space accesses the same registers. */
static void test_config_window(void **state)
{
	struct disk *f = *state;
	unsigned int data = f->window + offsetof(struct virtio_pci_cfg_cap, pci_cfg_data);

	disk_config_put(f, f->window + VIRTIO_PCI_CAP_BAR, 1, 0);
	disk_config_put(f, f->window + VIRTIO_PCI_CAP_OFFSET, 4, f->config);
	disk_config_put(f, f->window + VIRTIO_PCI_CAP_LENGTH, 4, 4);
	assert_int_equal(disk_config_get(f, data, 4), DISK_SECTORS);
	disk_config_put(f, f->window + VIRTIO_PCI_CAP_OFFSET, 4,
			f->common + VIRTIO_PCI_COMMON_STATUS);
	disk_config_put(f, f->window + VIRTIO_PCI_CAP_LENGTH, 4, 1);
	assert_int_equal(disk_config_get(f, data, 1), ALL_STATUS);
	disk_config_put(f, data, 1, 0);
	assert_int_equal(disk_status(f), 0);
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
	struct disk *f = *state;
	unsigned int data = f->window + offsetof(struct virtio_pci_cfg_cap, pci_cfg_data);
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		disk_config_put(f, f->window + VIRTIO_PCI_CAP_BAR, 1, cases[i].bar);
		disk_config_put(f, f->window + VIRTIO_PCI_CAP_OFFSET, 4, cases[i].offset);
		disk_config_put(f, f->window + VIRTIO_PCI_CAP_LENGTH, 4, cases[i].length);
		/* The data field keeps what was written, as no register is accessed. */
		disk_config_put(f, data, 4, 0x5eed5eed);
		assert_int_equal(disk_config_get(f, data, 4), 0x5eed5eed);
	}
	assert_int_equal(disk_status(f), ALL_STATUS);
	disk_assert_works(f);
}

/* Device configuration is read-only and reads as 0 beyond its end. */
static void test_device_config(void **state)
{
	struct disk *f = *state;

	disk_put(f, f->config, 4, 0xffffffff);
	disk_put(f, f->config, 8, UINT64_MAX);
	assert_int_equal(disk_get(f, f->config, 4), DISK_SECTORS);
	assert_int_equal(disk_get(f, f->config + f->blk.virtio.config_size, 1), 0);
	assert_int_equal(disk_get(f, f->config + 0xff8, 8), 0);
}

/* After random accesses with random rings, a reset makes the device work again. */
static void test_random_accesses(void **state)
{
	static const unsigned int lengths[] = { 1, 2, 4, 8 };
	struct disk *f = *state;
	unsigned int round, i;

	srand(4);
	for (round = 0; round < 200; round++) {
		disk_start_driver(f, FEATURES);
		for (i = 0; i < 0x800; i++)
			f->memory.host[RING_DESC - RAM_BASE + i] = rand() % 4 ? rand() % 3 : rand();
		for (i = 0; i < 200; i++) {
			unsigned int length = lengths[rand() % 4];
			uint32_t offset = rand() % 4 * 0x1000 + rand() % 0x50 / length * length;

			if (rand() % 2)
				disk_put(f, offset, length, rand() % 2 ? rand() : rand() % 0x20);
			else
				disk_get(f, offset, length);
			if (rand() % 8 == 0) {
				set_avail_index(&f->memory, rand() % 2 ? rand() : rand() % 4);
				disk_kick(f);
			}
		}
	}
	disk_put(f, f->common + VIRTIO_PCI_COMMON_Q_SELECT, 2, 0);
	disk_start_driver(f, FEATURES);
	disk_assert_works(f);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, disk_setup, disk_teardown)

int main(void)
{
	const struct cmocka_test tests[] = {
		TEST(test_identity),
		TEST(test_feature_bits),
		TEST(test_features_refused),
		TEST(test_status_bits),
		TEST(test_features_are_final),
		TEST(test_queue_outside),
		TEST(test_queue_size),
		TEST(test_not_ready),
		TEST(test_interrupts),
		TEST(test_config_window),
		TEST(test_config_window_bounds),
		TEST(test_device_config),
		TEST(test_random_accesses),
	};

	return cmocka_run_group_tests_name("virtio pci", tests, NULL, NULL);
}
