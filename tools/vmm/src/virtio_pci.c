// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PCI transport of a virtio 1.x device (virtio_pci.h), as virtio 1.1, 4.1, defines it,
 * without legacy interface and MSI-X. One BAR has a page for each of the four structures.
 *
 * The device requires VIRTIO_F_ACCESS_PLATFORM, so that a protected guest's driver uses only
 * memory that the guest shares, unless its type says otherwise.
 */
#include <endian.h>
#include <stddef.h>
#include <string.h>

#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>

#include "le.h"
#include "log.h"
#include "stats.h"
#include "virtio_pci.h"

#define VIRTIO_PCI_DEVICE_BASE	0x1040
#define VIRTIO_PCI_REVISION	1

#define VIRTIO_BAR		0
#define REGION_SIZE		0x1000
#define COMMON_REGION		0x0000
#define ISR_REGION		0x1000
#define DEVICE_REGION		0x2000
#define NOTIFY_REGION		0x3000
#define VIRTIO_BAR_SIZE		0x4000
#define NOTIFY_MULTIPLIER	4

#define ISR_QUEUE		0x1
#define ISR_CONFIG		0x2

/* Limit of messages per device, so that a guest cannot flood standard error. */
#define MAX_COMPLAINTS		8

#define TRANSPORT_FEATURES	(VIRTIO_FEATURE(VIRTIO_F_VERSION_1) | \
				 VIRTIO_FEATURE(VIRTIO_F_ACCESS_PLATFORM))
#define STATUS_FROM_DRIVER	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | \
				 VIRTIO_CONFIG_S_DRIVER_OK | VIRTIO_CONFIG_S_FEATURES_OK | \
				 VIRTIO_CONFIG_S_FAILED)

#define container_of_virtio(function) \
	((struct virtio_pci *)((char *)(function) - offsetof(struct virtio_pci, pci)))

static void complain(struct virtio_pci *virtio, const char *what, const char *reason)
{
	if (virtio->complaints == MAX_COMPLAINTS)
		return;
	virtio->complaints++;
	log_warn("%s: %s%s%s", virtio->name, what, reason,
		 virtio->complaints == MAX_COMPLAINTS ? " (further messages are dropped)" : "");
}

static void raise_isr(struct virtio_pci *virtio, uint8_t bit)
{
	virtio->isr |= bit;
	pci_set_interrupt(&virtio->pci, true);
}

static void reset(struct virtio_pci *virtio)
{
	unsigned int i;

	virtio->driver_features = 0;
	virtio->device_feature_select = 0;
	virtio->driver_feature_select = 0;
	virtio->queue_select = 0;
	virtio->status = 0;
	virtio->isr = 0;
	virtio->warned_no_bus_master = false;
	for (i = 0; i < virtio->nr_queues; i++)
		virtqueue_reset(&virtio->queue[i]);
	pci_set_interrupt(&virtio->pci, false);
}

bool virtio_pci_has_feature(const struct virtio_pci *virtio, unsigned int bit)
{
	return (virtio->status & VIRTIO_CONFIG_S_FEATURES_OK) &&
	       (virtio->driver_features & VIRTIO_FEATURE(bit));
}

bool virtio_pci_failed(const struct virtio_pci *virtio)
{
	return virtio->status & VIRTIO_CONFIG_S_NEEDS_RESET;
}

void virtio_pci_fail(struct virtio_pci *virtio, const char *reason)
{
	if (virtio_pci_failed(virtio))
		return;
	complain(virtio, "the device needs a reset: ", reason);
	stat_add(STAT_DEVICE_ERRORS, 1);
	virtio->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	if (virtio->status & VIRTIO_CONFIG_S_DRIVER_OK)
		raise_isr(virtio, ISR_CONFIG);
}

void virtio_pci_config_changed(struct virtio_pci *virtio)
{
	virtio->config_generation++;
	if (virtio->status & VIRTIO_CONFIG_S_DRIVER_OK)
		raise_isr(virtio, ISR_CONFIG);
}

void virtio_pci_used(struct virtio_pci *virtio, struct virtqueue *vq)
{
	enum vq_result result;
	bool wanted;

	result = virtqueue_wants_interrupt(vq, virtio->memory, &wanted);
	if (result != VQ_OK)
		virtio_pci_fail(virtio, vq_result_string(result));
	else if (wanted)
		raise_isr(virtio, ISR_QUEUE);
}

static struct virtqueue *selected_queue(struct virtio_pci *virtio)
{
	if (virtio->queue_select >= virtio->nr_queues)
		return NULL;
	return &virtio->queue[virtio->queue_select];
}

static uint32_t feature_word(uint64_t features, uint32_t select)
{
	return select < 2 ? features >> 32 * select : 0;
}

static void fill_common_config(struct virtio_pci *virtio, struct virtio_pci_common_cfg *common)
{
	const struct virtqueue *vq = selected_queue(virtio);

	memset(common, 0, sizeof(*common));
	put_le32(&common->device_feature_select, virtio->device_feature_select);
	put_le32(&common->device_feature,
		 feature_word(virtio->device_features, virtio->device_feature_select));
	put_le32(&common->guest_feature_select, virtio->driver_feature_select);
	put_le32(&common->guest_feature,
		 feature_word(virtio->driver_features, virtio->driver_feature_select));
	put_le16(&common->msix_config, VIRTIO_MSI_NO_VECTOR);
	put_le16(&common->num_queues, virtio->nr_queues);
	common->config_generation = virtio->config_generation;
	common->device_status = virtio->status;
	put_le16(&common->queue_select, virtio->queue_select);
	put_le16(&common->queue_msix_vector, VIRTIO_MSI_NO_VECTOR);
	if (!vq)
		return;
	put_le16(&common->queue_size, vq->size);
	put_le16(&common->queue_enable, vq->enabled);
	put_le16(&common->queue_notify_off, virtio->queue_select);
	put_le32(&common->queue_desc_lo, vq->desc);
	put_le32(&common->queue_desc_hi, vq->desc >> 32);
	put_le32(&common->queue_avail_lo, vq->avail);
	put_le32(&common->queue_avail_hi, vq->avail >> 32);
	put_le32(&common->queue_used_lo, vq->used);
	put_le32(&common->queue_used_hi, vq->used >> 32);
}

static void write_driver_feature(struct virtio_pci *virtio, uint32_t value)
{
	unsigned int shift = 32 * virtio->driver_feature_select;

	if (virtio->driver_feature_select > 1 || (virtio->status & VIRTIO_CONFIG_S_FEATURES_OK))
		return;
	virtio->driver_features &= ~(0xffffffffULL << shift);
	virtio->driver_features |= (uint64_t)value << shift;
}

static bool features_acceptable(const struct virtio_pci *virtio)
{
	return !(virtio->driver_features & ~virtio->device_features) &&
	       (virtio->driver_features & virtio->required_features) == virtio->required_features;
}

static void write_status(struct virtio_pci *virtio, uint8_t value)
{
	if (!value) {
		stat_add(STAT_DEVICE_RESETS, 1);
		reset(virtio);
		if (virtio->ops->reset)
			virtio->ops->reset(virtio);
		return;
	}

	/* The driver can only set bits. FEATURES_OK stays clear if the features are refused. */
	value &= STATUS_FROM_DRIVER;
	if ((value & ~virtio->status & VIRTIO_CONFIG_S_FEATURES_OK) && !features_acceptable(virtio))
		value &= ~VIRTIO_CONFIG_S_FEATURES_OK;
	if (!((value | virtio->status) & VIRTIO_CONFIG_S_FEATURES_OK))
		value &= ~VIRTIO_CONFIG_S_DRIVER_OK;
	virtio->status |= value;
}

/* Set the half of one of a queue's addresses that is at an offset. */
static void write_queue_address(struct virtqueue *vq, uint32_t offset, uint32_t value)
{
	uint64_t *const addresses[] = { &vq->desc, &vq->avail, &vq->used };
	uint32_t half = (offset - VIRTIO_PCI_COMMON_Q_DESCLO) / sizeof(value);
	uint64_t *address = addresses[half / 2];
	unsigned int shift = 32 * (half % 2);

	*address = (*address & ~(0xffffffffULL << shift)) | (uint64_t)value << shift;
}

/* Addresses and size of a queue cannot change once it is enabled. */
static void write_queue_config(struct virtio_pci *virtio, uint32_t offset, uint32_t value)
{
	struct virtqueue *vq = selected_queue(virtio);
	enum vq_result result;

	if (!vq || vq->enabled)
		return;
	switch (offset) {
	case VIRTIO_PCI_COMMON_Q_SIZE:
		if (value && value <= VIRTQUEUE_MAX_SIZE && !(value & (value - 1)))
			vq->size = value;
		break;
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		if (value != 1)
			break;
		result = virtqueue_enable(vq, virtio->memory);
		if (result != VQ_OK)
			virtio_pci_fail(virtio, vq_result_string(result));
		break;
	case VIRTIO_PCI_COMMON_Q_DESCLO:
	case VIRTIO_PCI_COMMON_Q_DESCHI:
	case VIRTIO_PCI_COMMON_Q_AVAILLO:
	case VIRTIO_PCI_COMMON_Q_AVAILHI:
	case VIRTIO_PCI_COMMON_Q_USEDLO:
	case VIRTIO_PCI_COMMON_Q_USEDHI:
		write_queue_address(vq, offset, value);
		break;
	default:
		break;
	}
}

/* The access size that virtio 1.1, 4.1.3.1, requires for a writable field; 0 for others. */
static unsigned int common_field_length(uint32_t offset)
{
	switch (offset) {
	case VIRTIO_PCI_COMMON_STATUS:
		return 1;
	case VIRTIO_PCI_COMMON_Q_SELECT:
	case VIRTIO_PCI_COMMON_Q_SIZE:
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		return 2;
	case VIRTIO_PCI_COMMON_DFSELECT:
	case VIRTIO_PCI_COMMON_GFSELECT:
	case VIRTIO_PCI_COMMON_GF:
	case VIRTIO_PCI_COMMON_Q_DESCLO:
	case VIRTIO_PCI_COMMON_Q_DESCHI:
	case VIRTIO_PCI_COMMON_Q_AVAILLO:
	case VIRTIO_PCI_COMMON_Q_AVAILHI:
	case VIRTIO_PCI_COMMON_Q_USEDLO:
	case VIRTIO_PCI_COMMON_Q_USEDHI:
		return 4;
	default:
		return 0;
	}
}

static void write_common(struct virtio_pci *virtio, uint32_t offset, unsigned int length,
			 uint32_t value)
{
	if (length != common_field_length(offset))
		return;
	switch (offset) {
	case VIRTIO_PCI_COMMON_DFSELECT:
		virtio->device_feature_select = value;
		break;
	case VIRTIO_PCI_COMMON_GFSELECT:
		virtio->driver_feature_select = value;
		break;
	case VIRTIO_PCI_COMMON_GF:
		write_driver_feature(virtio, value);
		break;
	case VIRTIO_PCI_COMMON_STATUS:
		write_status(virtio, value);
		break;
	case VIRTIO_PCI_COMMON_Q_SELECT:
		virtio->queue_select = value;
		break;
	default:
		write_queue_config(virtio, offset, value);
		break;
	}
}

void virtio_pci_notify(struct virtio_pci *virtio, unsigned int queue)
{
	struct virtqueue *vq;

	if (queue >= virtio->nr_queues)
		return;
	vq = &virtio->queue[queue];
	if (!vq->enabled || !(virtio->status & VIRTIO_CONFIG_S_DRIVER_OK) ||
	    virtio_pci_failed(virtio))
		return;
	if (!pci_bus_master(&virtio->pci)) {
		if (!virtio->warned_no_bus_master)
			complain(virtio, "ignoring notifications: ", "bus mastering is off");
		virtio->warned_no_bus_master = true;
		return;
	}
	virtio->ops->notify(virtio, vq);
}

static uint64_t read_bytes(const void *from, unsigned int size, uint32_t offset,
			   unsigned int length)
{
	uint64_t value = 0;

	if (offset >= size || length > size - offset)
		return 0;
	memcpy(&value, (const char *)from + offset, length);
	return le64toh(value);
}

static uint64_t virtio_bar_read(struct pci_function *function, unsigned int bar, uint32_t offset,
				unsigned int length)
{
	struct virtio_pci *virtio = container_of_virtio(function);
	uint32_t inside = offset % REGION_SIZE;
	struct virtio_pci_common_cfg common;
	uint8_t isr;

	(void)bar;
	switch (offset - inside) {
	case COMMON_REGION:
		fill_common_config(virtio, &common);
		return read_bytes(&common, sizeof(common), inside, length);
	case ISR_REGION:
		if (inside)
			return 0;
		isr = virtio->isr;
		virtio->isr = 0;
		pci_set_interrupt(function, false);
		return isr;
	case DEVICE_REGION:
		return read_bytes(virtio->config, virtio->config_size, inside, length);
	default:
		return 0;
	}
}

static void virtio_bar_write(struct pci_function *function, unsigned int bar, uint32_t offset,
			     unsigned int length, uint64_t value)
{
	struct virtio_pci *virtio = container_of_virtio(function);
	uint32_t inside = offset % REGION_SIZE;

	(void)bar;
	switch (offset - inside) {
	case COMMON_REGION:
		write_common(virtio, inside, length, value);
		break;
	case DEVICE_REGION:
		if (virtio->ops->config_write)
			virtio->ops->config_write(virtio, inside, length, value);
		break;
	case NOTIFY_REGION:
		virtio_pci_notify(virtio, inside / NOTIFY_MULTIPLIER);
		break;
	default:
		break;
	}
}

/*
 * VIRTIO_PCI_CAP_PCI_CFG is a window by which configuration space accesses the BAR. Get the
 * offset and length that the driver has set; false if they are not in the BAR.
 */
static bool window_target(struct virtio_pci *virtio, uint32_t *offset, uint32_t *length)
{
	struct virtio_pci_cap cap;

	memcpy(&cap, &virtio->pci.config[virtio->config_window], sizeof(cap));
	*offset = get_le32(&cap.offset);
	*length = get_le32(&cap.length);
	return cap.bar == VIRTIO_BAR && (*length == 1 || *length == 2 || *length == 4) &&
	       !(*offset % *length) && *offset < VIRTIO_BAR_SIZE;
}

static unsigned int window_data(const struct virtio_pci *virtio)
{
	return virtio->config_window + offsetof(struct virtio_pci_cfg_cap, pci_cfg_data);
}

static void virtio_config_read(struct pci_function *function, unsigned int offset,
			       unsigned int length)
{
	struct virtio_pci *virtio = container_of_virtio(function);
	unsigned int data = window_data(virtio);
	uint32_t target, size;

	(void)length;
	if (offset != data || !window_target(virtio, &target, &size))
		return;
	put_le32(&function->config[data], virtio_bar_read(function, VIRTIO_BAR, target, size));
}

static void virtio_config_written(struct pci_function *function, unsigned int offset,
				  unsigned int length)
{
	struct virtio_pci *virtio = container_of_virtio(function);
	unsigned int data = window_data(virtio);
	uint32_t target, size;

	(void)length;
	if (offset != data || !window_target(virtio, &target, &size))
		return;
	virtio_bar_write(function, VIRTIO_BAR, target, size, get_le32(&function->config[data]));
}

static const struct pci_function_ops virtio_pci_function_ops = {
	.bar_read = virtio_bar_read,
	.bar_write = virtio_bar_write,
	.config_read = virtio_config_read,
	.config_written = virtio_config_written,
};

static struct virtio_pci_cap make_capability(uint8_t type, unsigned int length, uint32_t offset,
					     uint32_t size)
{
	struct virtio_pci_cap cap = {
		.cap_vndr = PCI_CAP_ID_VNDR,
		.cap_len = length,
		.cfg_type = type,
		.bar = VIRTIO_BAR,
	};

	put_le32(&cap.offset, offset);
	put_le32(&cap.length, size);
	return cap;
}

static int add_capabilities(struct virtio_pci *virtio)
{
	struct pci_function *function = &virtio->pci;
	struct virtio_pci_notify_cap notify_cap;
	struct virtio_pci_cfg_cap window_cap;
	struct virtio_pci_cap cap;
	unsigned int field;
	int ret;

	cap = make_capability(VIRTIO_PCI_CAP_COMMON_CFG, sizeof(cap), COMMON_REGION,
			      sizeof(struct virtio_pci_common_cfg));
	ret = pci_function_add_capability(function, &cap, sizeof(cap));
	if (ret < 0)
		return ret;

	notify_cap.cap = make_capability(VIRTIO_PCI_CAP_NOTIFY_CFG, sizeof(notify_cap),
					 NOTIFY_REGION, NOTIFY_MULTIPLIER * virtio->nr_queues);
	put_le32(&notify_cap.notify_off_multiplier, NOTIFY_MULTIPLIER);
	ret = pci_function_add_capability(function, &notify_cap, sizeof(notify_cap));
	if (ret < 0)
		return ret;

	cap = make_capability(VIRTIO_PCI_CAP_ISR_CFG, sizeof(cap), ISR_REGION, 1);
	ret = pci_function_add_capability(function, &cap, sizeof(cap));
	if (ret < 0)
		return ret;

	cap = make_capability(VIRTIO_PCI_CAP_DEVICE_CFG, sizeof(cap), DEVICE_REGION,
			      virtio->config_size);
	ret = pci_function_add_capability(function, &cap, sizeof(cap));
	if (ret < 0)
		return ret;

	memset(&window_cap, 0, sizeof(window_cap));
	window_cap.cap = make_capability(VIRTIO_PCI_CAP_PCI_CFG, sizeof(window_cap), 0, 0);
	ret = pci_function_add_capability(function, &window_cap, sizeof(window_cap));
	if (ret < 0)
		return ret;
	virtio->config_window = ret;
	function->writable[ret + offsetof(struct virtio_pci_cap, bar)] = 0xff;
	for (field = offsetof(struct virtio_pci_cap, offset); field < sizeof(window_cap); field++)
		function->writable[ret + field] = 0xff;
	return 0;
}

int virtio_pci_init(struct virtio_pci *virtio, const struct virtio_type *type,
		    const struct guest_memory *memory)
{
	const struct pci_ids ids = {
		.vendor = PCI_VENDOR_ID_REDHAT_QUMRANET,
		.device = VIRTIO_PCI_DEVICE_BASE + type->device_id,
		.subsystem_vendor = PCI_VENDOR_ID_REDHAT_QUMRANET,
		.subsystem = VIRTIO_PCI_DEVICE_BASE + type->device_id,
		.class = type->pci_class,
		.revision = VIRTIO_PCI_REVISION,
	};

	pci_function_init(&virtio->pci, &ids, &virtio_pci_function_ops);
	pci_function_add_bar(&virtio->pci, VIRTIO_BAR, VIRTIO_BAR_SIZE);
	virtio->ops = type->ops;
	virtio->memory = memory;
	virtio->name = type->name;
	virtio->device_features = type->features | TRANSPORT_FEATURES;
	virtio->required_features = type->platform_optional ? VIRTIO_FEATURE(VIRTIO_F_VERSION_1) :
							      TRANSPORT_FEATURES;
	virtio->config = type->config;
	virtio->config_size = type->config_size;
	virtio->nr_queues = type->nr_queues;
	virtio->complaints = 0;
	virtio->config_generation = 0;
	reset(virtio);
	return add_capabilities(virtio);
}
