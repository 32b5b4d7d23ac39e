// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtio balloon and its driver. See balloon.h.
 */
#include "balloon.h"

#include <linux/pci_regs.h>

static void set_line(void *opaque, unsigned int spi, bool level)
{
	(void)spi;
	((struct balloon *)opaque)->line = level;
}

uint64_t balloon_get(struct balloon *f, uint32_t offset, unsigned int length)
{
	return pci_memory_read(&f->host, offset, length);
}

void balloon_put(struct balloon *f, uint32_t offset, unsigned int length, uint64_t value)
{
	pci_memory_write(&f->host, offset, length, value);
}

uint8_t balloon_status(struct balloon *f)
{
	return balloon_get(f, COMMON + VIRTIO_PCI_COMMON_STATUS, 1);
}

uint32_t balloon_config(struct balloon *f, unsigned int offset)
{
	return balloon_get(f, CONFIG + offset, 4);
}

static void balloon_store16(struct balloon *f, uint64_t address, uint16_t value)
{
	assert_int_equal(guest_memory_store16(&f->memory, address, value), 0);
}

uint16_t balloon_used(struct balloon *f, unsigned int queue)
{
	uint16_t index;

	assert_int_equal(guest_memory_load16(&f->memory, USED(queue) + 2, &index), 0);
	return index;
}

static void start_queue(struct balloon *f, unsigned int queue)
{
	balloon_put(f, VIRTIO_PCI_COMMON_Q_SELECT, 2, queue);
	balloon_put(f, VIRTIO_PCI_COMMON_Q_SIZE, 2, QUEUE_SIZE);
	balloon_put(f, VIRTIO_PCI_COMMON_Q_DESCLO, 4, RINGS(queue));
	balloon_put(f, VIRTIO_PCI_COMMON_Q_AVAILLO, 4, AVAIL(queue));
	balloon_put(f, VIRTIO_PCI_COMMON_Q_USEDLO, 4, USED(queue));
	balloon_put(f, VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	balloon_store16(f, AVAIL(queue), 0);
	balloon_store16(f, AVAIL(queue) + 2, 0);
	balloon_store16(f, USED(queue) + 2, 0);
	f->next_avail[queue] = 0;
}

/* Reset the device and prepare it; false if it refuses the features. */
bool balloon_prepare_driver(struct balloon *f, uint64_t features)
{
	unsigned int queue;

	balloon_put(f, VIRTIO_PCI_COMMON_STATUS, 1, 0);
	balloon_put(f, VIRTIO_PCI_COMMON_GFSELECT, 4, 0);
	balloon_put(f, VIRTIO_PCI_COMMON_GF, 4, features & 0xffffffff);
	balloon_put(f, VIRTIO_PCI_COMMON_GFSELECT, 4, 1);
	balloon_put(f, VIRTIO_PCI_COMMON_GF, 4, features >> 32);
	balloon_put(f, VIRTIO_PCI_COMMON_STATUS, 1, STATUS_READY);
	if (!(balloon_status(f) & VIRTIO_CONFIG_S_FEATURES_OK))
		return false;
	for (queue = 0; queue < NR_QUEUES; queue++)
		start_queue(f, queue);
	return true;
}

/* Prepare the device, start it, and fill the memory that the driver gives away. */
bool balloon_start_driver(struct balloon *f, uint64_t features)
{
	if (!balloon_prepare_driver(f, features))
		return false;
	balloon_put(f, VIRTIO_PCI_COMMON_STATUS, 1, STATUS_RUNNING);
	assert_int_equal(balloon_status(f), STATUS_RUNNING);
	memset(f->memory.host + (FREE - RAM_BASE), PATTERN, FREE_PAGES * TEST_PAGE);
	return true;
}

static int setup_vm(void **state, bool protected_vm, uint64_t features)
{
	struct balloon *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(guest_memory_init(&f->memory, RAM_BASE, TEST_MEMORY_SIZE), 0);
	guest_memory_use_small_pages(&f->memory);
	pci_host_init(&f->host, 0);
	f->balloon.virtio.pci.irq.set = set_line;
	f->balloon.virtio.pci.irq.controller = f;
	assert_int_equal(virtio_balloon_init(&f->balloon, &f->memory, &f->host, TARGET,
					     protected_vm), 0);
	assert_int_equal(pci_host_plug(&f->host, SLOT, &f->balloon.virtio.pci), 0);
	pci_config_write(&f->host, (SLOT << 11) + PCI_COMMAND, 2,
			 PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	assert_true(balloon_start_driver(f, features));
	*state = f;
	return 0;
}

int balloon_setup(void **state)
{
	return setup_vm(state, true, ALL_FEATURES);
}

int balloon_setup_not_protected(void **state)
{
	return setup_vm(state, false, ALL_FEATURES & ~PLATFORM);
}

int balloon_setup_without_stats(void **state)
{
	return setup_vm(state, true, ALL_FEATURES & ~STATISTICS);
}

int balloon_teardown(void **state)
{
	struct balloon *f = *state;

	guest_memory_destroy(&f->memory);
	free(f);
	return 0;
}

void balloon_set_desc(struct balloon *f, unsigned int queue, unsigned int index, uint64_t address,
		      uint32_t length, uint16_t flags)
{
	struct vring_desc desc;

	put_le64(&desc.addr, address);
	put_le32(&desc.len, length);
	put_le16(&desc.flags, flags);
	put_le16(&desc.next, index + 1);
	assert_int_equal(guest_memory_write(&f->memory, RINGS(queue) + index * sizeof(desc), &desc,
					    sizeof(desc)), 0);
}

/* Make the chain at descriptor 0 available, and notify the device. */
void balloon_submit(struct balloon *f, unsigned int queue)
{
	balloon_store16(f, AVAIL(queue) + 4 + 2 * (f->next_avail[queue] % QUEUE_SIZE), 0);
	balloon_store16(f, AVAIL(queue) + 2, ++f->next_avail[queue]);
	balloon_put(f, NOTIFY + 4 * queue, 2, queue);
}

/* Send page numbers in one buffer, of @length bytes. */
void balloon_send_numbers(struct balloon *f, unsigned int queue, const uint32_t *numbers,
			  unsigned int count, uint32_t length)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		put_le32(f->memory.host + (ARRAY - RAM_BASE) + 4 * i, numbers[i]);
	balloon_set_desc(f, queue, 0, ARRAY, length, 0);
	balloon_submit(f, queue);
}

/* Check which of the free pages the device has discarded, by a bit for each. */
void balloon_assert_discarded(struct balloon *f, unsigned int pages)
{
	unsigned int i;

	for (i = 0; i < FREE_PAGES; i++) {
		const uint8_t *page = f->memory.host + (FREE_PAGE(i) - RAM_BASE);
		uint8_t expected = pages & 1U << i ? 0 : PATTERN;

		assert_int_equal(page[0], expected);
		assert_memory_equal(page, page + 1, TEST_PAGE - 1);
	}
}

void balloon_assert_works(struct balloon *f)
{
	const uint32_t number = NUMBER(FREE_PAGE(5));
	uint16_t before = balloon_used(f, INFLATE);

	balloon_send_numbers(f, INFLATE, &number, 1, 4);
	assert_int_equal((uint16_t)(balloon_used(f, INFLATE) - before), 1);
	assert_int_equal(balloon_status(f), STATUS_RUNNING);
	assert_int_equal(f->memory.host[FREE_PAGE(5) - RAM_BASE], 0);
}

/* Check that the device has failed, has discarded nothing, and works after a reset. */
void balloon_assert_failed(struct balloon *f)
{
	struct balloon_state state;

	assert_true(balloon_status(f) & VIRTIO_CONFIG_S_NEEDS_RESET);
	assert_true(f->line);
	assert_true(balloon_get(f, ISR, 1) & 2);
	balloon_assert_discarded(f, 0);
	/* It has no statistics to wait for. */
	virtio_balloon_get_state(&f->balloon, 60000, &state);
	assert_int_equal(state.target, TARGET);
	assert_true(balloon_start_driver(f, ALL_FEATURES));
	balloon_assert_works(f);
	assert_true(balloon_start_driver(f, ALL_FEATURES));
}
