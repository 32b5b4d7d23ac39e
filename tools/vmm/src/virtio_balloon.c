// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtio balloon (virtio_balloon.h), as virtio 1.1, 5.5, and virtio 1.2, 5.5.6, for free page
 * reporting, define it.
 *
 * A page of the balloon is one that the guest does not use, so the VMM discards it. Deflating needs
 * no action: the host gives the guest a new page when it touches the address.
 *
 * Rule: a request that is not one makes the device fail before anything of it is carried out. A
 * page that a protected guest has not relinquished stays the guest's and is counted: no error.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linux/virtio_ids.h>

#include "le.h"
#include "stats.h"
#include "virtio_balloon.h"

#define PCI_CLASS_OTHER		0x00ff00
/* The unit of page numbers, whatever the page sizes of guest and host are. */
#define BALLOON_PAGE_SHIFT	VIRTIO_BALLOON_PFN_SHIFT
#define BALLOON_PAGE_SIZE	0x1000UL
/* More statistics than any driver has. */
#define MAX_STATS_LENGTH	(64 * sizeof(struct virtio_balloon_stat))

#define container_of_balloon(transport) \
	((struct virtio_balloon *)((char *)(transport) - offsetof(struct virtio_balloon, virtio)))

enum balloon_queue {
	QUEUE_INFLATE,
	QUEUE_DEFLATE,
	QUEUE_STATS,
	QUEUE_REPORTING,
	NR_QUEUES,
};

static const char *const stat_names[BALLOON_STATS] = {
	[VIRTIO_BALLOON_S_SWAP_IN]	= "swap_in_bytes",
	[VIRTIO_BALLOON_S_SWAP_OUT]	= "swap_out_bytes",
	[VIRTIO_BALLOON_S_MAJFLT]	= "major_faults",
	[VIRTIO_BALLOON_S_MINFLT]	= "minor_faults",
	[VIRTIO_BALLOON_S_MEMFREE]	= "free_bytes",
	[VIRTIO_BALLOON_S_MEMTOT]	= "total_bytes",
	[VIRTIO_BALLOON_S_AVAIL]	= "available_bytes",
	[VIRTIO_BALLOON_S_CACHES]	= "cache_bytes",
	[VIRTIO_BALLOON_S_HTLB_PGALLOC]	= "huge_pages_allocated",
	[VIRTIO_BALLOON_S_HTLB_PGFAIL]	= "huge_pages_failed",
};

const char *virtio_balloon_stat_name(unsigned int tag)
{
	return stat_names[tag];
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

/* Copy all of a chain's readable buffers; @buffer has room for them. */
static int read_chain(struct virtio_balloon *balloon, void *buffer)
{
	const struct vq_chain *chain = &balloon->chain;
	char *to = buffer;
	unsigned int i;

	for (i = 0; i < chain->nr_readable; i++) {
		int err = guest_memory_read(balloon->virtio.memory, chain->buffer[i].address, to,
					    chain->buffer[i].length);

		if (err)
			return err;
		to += chain->buffer[i].length;
	}
	return 0;
}

static int compare_pages(const void *a, const void *b)
{
	const uint32_t first = *(const uint32_t *)a, second = *(const uint32_t *)b;

	return first < second ? -1 : first > second;
}

/* Read page numbers, and sort them: NULL, or why that is no request. */
static const char *read_pages(struct virtio_balloon *balloon, unsigned int *count)
{
	const struct vq_chain *chain = &balloon->chain;
	unsigned int i;

	if (chain->readable_length % sizeof(*balloon->pages))
		return "an array of page numbers ends within a number";
	if (chain->readable_length > sizeof(balloon->pages))
		return "a request has too many page numbers";
	if (read_chain(balloon, balloon->pages))
		return "page numbers lie in memory that the guest does not share";

	*count = chain->readable_length / sizeof(*balloon->pages);
	for (i = 0; i < *count; i++) {
		balloon->pages[i] = get_le32(&balloon->pages[i]);
		if (!guest_memory_contains(balloon->virtio.memory,
					   (uint64_t)balloon->pages[i] << BALLOON_PAGE_SHIFT,
					   BALLOON_PAGE_SIZE))
			return "a page of the balloon is outside of guest memory";
	}
	qsort(balloon->pages, *count, sizeof(*balloon->pages), compare_pages);
	return NULL;
}

static const char *discard(struct virtio_balloon *balloon, uint64_t address, uint64_t length,
			   enum stat_id stat)
{
	uint64_t kept = 0;
	int64_t done = guest_memory_discard(balloon->virtio.memory, address, length, &kept);

	stat_add(STAT_BALLOON_BYTES_KEPT, kept);
	if (done < 0)
		return "the host cannot take memory of the guest";
	stat_add(stat, done);
	return NULL;
}

/* Pages that follow each other are discarded together: several may make up one of the host. */
static const char *inflate(struct virtio_balloon *balloon)
{
	const uint32_t *pages = balloon->pages;
	unsigned int count, first, next;
	const char *reason = read_pages(balloon, &count);

	for (first = 0; !reason && first < count; first = next) {
		next = first + 1;
		while (next < count && pages[next] - pages[next - 1] <= 1)
			next++;
		reason = discard(balloon, (uint64_t)pages[first] << BALLOON_PAGE_SHIFT,
				 (pages[next - 1] - pages[first] + 1ULL) << BALLOON_PAGE_SHIFT,
				 STAT_BALLOON_BYTES_INFLATED);
	}
	return reason;
}

static const char *deflate(struct virtio_balloon *balloon)
{
	unsigned int count;
	const char *reason = read_pages(balloon, &count);

	if (!reason)
		stat_add(STAT_BALLOON_BYTES_DEFLATED, (uint64_t)count << BALLOON_PAGE_SHIFT);
	return reason;
}

/* Free pages are the buffers themselves. The driver lets the device write to them. */
static const char *take_report(struct virtio_balloon *balloon)
{
	const struct vq_chain *chain = &balloon->chain;
	const char *reason = NULL;
	unsigned int i;

	if (chain->nr_readable)
		return "a report of free pages has a readable buffer";
	/* No guest is to keep this thread busy by reporting one page many times. */
	if (chain->writable_length > balloon->virtio.memory->size)
		return "a report has more free pages than the guest has memory";
	for (i = 0; !reason && i < chain->nr_buffers; i++)
		reason = discard(balloon, chain->buffer[i].address, chain->buffer[i].length,
				 STAT_BALLOON_BYTES_REPORTED);
	return reason;
}

/*
 * The driver fills a buffer when it starts, and another each time that it gets one back: the
 * device keeps it until somebody asks for statistics.
 */
static const char *take_stats(struct virtio_balloon *balloon)
{
	struct virtio_balloon_stat stats[MAX_STATS_LENGTH / sizeof(struct virtio_balloon_stat)];
	const struct vq_chain *chain = &balloon->chain;
	unsigned int i;

	if (balloon->has_question)
		return "a second buffer of statistics, while the device has one";
	if (chain->readable_length % sizeof(*stats) || chain->readable_length > sizeof(stats))
		return "a buffer of statistics has an invalid length";
	if (read_chain(balloon, stats))
		return "statistics lie in memory that the guest does not share";

	for (i = 0; i < chain->readable_length / sizeof(*stats); i++) {
		unsigned int tag = get_le16(&stats[i].tag);

		if (tag >= BALLOON_STATS)
			continue;
		balloon->known[tag] = true;
		balloon->value[tag] = get_le64(&stats[i].val);
	}
	balloon->has_question = true;
	balloon->question = chain->head;
	balloon->answered_ms = now_ms();
	pthread_cond_broadcast(&balloon->answered);
	return NULL;
}

/*
 * Linux numbers the queues of the features that were negotiated without a gap. The specification
 * has a gap for a queue of hints, which this device does not offer, so no driver can have it.
 */
static enum balloon_queue queue_of(const struct virtio_balloon *balloon,
				   const struct virtqueue *vq)
{
	unsigned int index = vq - balloon->virtio.queue;

	if (index > QUEUE_DEFLATE && !virtio_pci_has_feature(&balloon->virtio,
							     VIRTIO_BALLOON_F_STATS_VQ))
		index++;
	if (index == QUEUE_REPORTING && !virtio_pci_has_feature(&balloon->virtio,
								VIRTIO_BALLOON_F_REPORTING))
		return NR_QUEUES;
	return index < NR_QUEUES ? index : NR_QUEUES;
}

static const char *handle_request(struct virtio_balloon *balloon, enum balloon_queue queue)
{
	switch (queue) {
	case QUEUE_INFLATE:
		return inflate(balloon);
	case QUEUE_DEFLATE:
		return deflate(balloon);
	case QUEUE_STATS:
		return take_stats(balloon);
	case QUEUE_REPORTING:
		return take_report(balloon);
	default:
		return "a request in a queue that was not negotiated";
	}
}

/* As for the disk: only chains that are available now. */
static void balloon_notify(struct virtio_pci *virtio, struct virtqueue *vq)
{
	struct virtio_balloon *balloon = container_of_balloon(virtio);
	const enum balloon_queue queue = queue_of(balloon, vq);
	enum vq_result result;
	unsigned int count;

	result = virtqueue_available(vq, virtio->memory, &count);
	while (result == VQ_OK && count--) {
		const char *reason;

		result = virtqueue_pop(vq, virtio->memory, &balloon->chain);
		if (result != VQ_OK)
			break;
		reason = handle_request(balloon, queue);
		if (reason) {
			virtio_pci_fail(virtio, reason);
			return;
		}
		if (queue != QUEUE_STATS)
			result = virtqueue_push(vq, virtio->memory, balloon->chain.head, 0);
	}
	if (result != VQ_OK)
		virtio_pci_fail(virtio, vq_result_string(result));
	else if (queue != QUEUE_STATS)
		virtio_pci_used(virtio, vq);
}

/* Of the configuration, the driver sets the size that the balloon has. */
static void balloon_config_write(struct virtio_pci *virtio, uint32_t offset, unsigned int length,
				 uint64_t value)
{
	struct virtio_balloon *balloon = container_of_balloon(virtio);

	if (offset == offsetof(struct virtio_balloon_config, actual) &&
	    length == sizeof(balloon->config.actual))
		put_le32(&balloon->config.actual, value);
}

/* The driver has forgotten the balloon. Its pages come back as the guest touches them. */
static void balloon_reset(struct virtio_pci *virtio)
{
	struct virtio_balloon *balloon = container_of_balloon(virtio);

	put_le32(&balloon->config.actual, 0);
	balloon->has_question = false;
}

static const struct virtio_ops balloon_ops = {
	.notify = balloon_notify,
	.config_write = balloon_config_write,
	.reset = balloon_reset,
};

static int init_condition(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;
	int err = pthread_condattr_init(&attributes);

	if (err)
		return -err;
	err = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	if (!err)
		err = pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
	return -err;
}

int virtio_balloon_init(struct virtio_balloon *balloon, const struct guest_memory *memory,
			struct pci_host *host, uint64_t target, bool protected_vm)
{
	const struct virtio_type type = {
		.name = "virtio-balloon",
		.device_id = VIRTIO_ID_BALLOON,
		.pci_class = PCI_CLASS_OTHER,
		.features = VIRTIO_FEATURE(VIRTIO_BALLOON_F_STATS_VQ) |
			    VIRTIO_FEATURE(VIRTIO_BALLOON_F_DEFLATE_ON_OOM) |
			    VIRTIO_FEATURE(VIRTIO_BALLOON_F_REPORTING),
		/* Without protection Linux's driver refuses that feature. */
		.platform_optional = !protected_vm,
		.config = &balloon->config,
		.config_size = offsetof(struct virtio_balloon_config, free_page_hint_cmd_id),
		.nr_queues = NR_QUEUES,
		.ops = &balloon_ops,
	};
	int err;

	err = init_condition(&balloon->answered);
	if (err)
		return err;
	balloon->host = host;
	balloon->has_question = false;
	balloon->answered_ms = now_ms();
	memset(balloon->known, 0, sizeof(balloon->known));
	memset(&balloon->config, 0, sizeof(balloon->config));
	put_le32(&balloon->config.num_pages, target >> BALLOON_PAGE_SHIFT);
	return virtio_pci_init(&balloon->virtio, &type, memory);
}

int virtio_balloon_set_target(struct virtio_balloon *balloon, uint64_t target)
{
	if (target % BALLOON_PAGE_SIZE || target > balloon->virtio.memory->size)
		return -EINVAL;
	pthread_mutex_lock(&balloon->host->lock);
	put_le32(&balloon->config.num_pages, target >> BALLOON_PAGE_SHIFT);
	virtio_pci_config_changed(&balloon->virtio);
	pthread_mutex_unlock(&balloon->host->lock);
	return 0;
}

/* Give the driver its buffer back, so that it fills in another one. */
static void ask(struct virtio_balloon *balloon)
{
	struct virtqueue *vq = &balloon->virtio.queue[QUEUE_STATS];
	enum vq_result result;

	balloon->has_question = false;
	result = virtqueue_push(vq, balloon->virtio.memory, balloon->question, 0);
	if (result == VQ_OK)
		virtio_pci_used(&balloon->virtio, vq);
	else
		virtio_pci_fail(&balloon->virtio, vq_result_string(result));
}

void virtio_balloon_get_state(struct virtio_balloon *balloon, unsigned int timeout_ms,
			      struct balloon_state *state)
{
	struct timespec end;
	int err = 0;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += timeout_ms / 1000;
	end.tv_nsec += timeout_ms % 1000 * 1000000L;
	if (end.tv_nsec >= 1000000000L) {
		end.tv_nsec -= 1000000000L;
		end.tv_sec++;
	}

	pthread_mutex_lock(&balloon->host->lock);
	if (virtio_pci_has_feature(&balloon->virtio, VIRTIO_BALLOON_F_STATS_VQ) &&
	    !virtio_pci_failed(&balloon->virtio)) {
		/* Linux notifies of its first buffer before it starts the device: in vain. */
		if (!balloon->has_question)
			virtio_pci_notify(&balloon->virtio, QUEUE_STATS);
		if (balloon->has_question)
			ask(balloon);
		while (!balloon->has_question && !virtio_pci_failed(&balloon->virtio) && !err)
			err = pthread_cond_timedwait(&balloon->answered, &balloon->host->lock,
						     &end);
	}
	state->target = (uint64_t)get_le32(&balloon->config.num_pages) << BALLOON_PAGE_SHIFT;
	state->actual = (uint64_t)get_le32(&balloon->config.actual) << BALLOON_PAGE_SHIFT;
	state->age_ms = now_ms() - balloon->answered_ms;
	memcpy(state->known, balloon->known, sizeof(state->known));
	memcpy(state->value, balloon->value, sizeof(state->value));
	pthread_mutex_unlock(&balloon->host->lock);
}
