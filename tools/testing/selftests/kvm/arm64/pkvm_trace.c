// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tracepoints kvm:pkvm_*, which record each transfer of a page between the host and a VM in
 * order, with the VM, the gfn and the pfn.
 *
 * Rule: a reader of the trace can follow a page from its donation until the host owns it again, on
 * every path. The trace has no event for calls that only the guest and EL2 know of.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"
#include "pvm_probe.h"

#define TRACING		"/sys/kernel/tracing"
#define PAGE		((uint64_t)getpagesize())
#define PAGES		8UL
#define FIRST_GFN	(PVM_DATA_IPA / PAGE)
#define MAX_EVENTS	128

struct event {
	char name[32];
	/* Zero if the event does not have the field. */
	unsigned int vm;
	uint64_t gfn;
	uint64_t pfn;
	uint64_t pages;
	int error;
};

struct events {
	unsigned int nr;
	struct event event[MAX_EVENTS];
};

static const char * const names[] = {
	"vm_created", "vm_destroyed", "tables_given", "page_donated", "page_relinquished",
	"page_reclaimed", "np_pages_shared", "np_pages_unshared", "page_forced", "donation_failed",
};

static int switch_all(const char *on)
{
	char path[128];
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names) && !err; i++) {
		snprintf(path, sizeof(path), TRACING "/events/kvm/pkvm_%s/enable", names[i]);
		err = pvm_write(path, on);
	}
	return err;
}

/* Start with an empty trace. */
static int start_tracing(void)
{
	int fd, err;

	if (mount("tracefs", TRACING, "tracefs", 0, NULL) && errno != EBUSY)
		return -errno;
	err = switch_all("1");
	if (err)
		return err;
	fd = open(TRACING "/trace", O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static bool parse(const char *line, struct event *event)
{
	const char *at = strstr(line, ": pkvm_");
	const char *field;

	memset(event, 0, sizeof(*event));
	if (!at || sscanf(at, ": pkvm_%31[a-z_]", event->name) != 1)
		return false;
	field = strstr(at, " vm ");
	if (field)
		sscanf(field, " vm %x", &event->vm);
	field = strstr(at, " gfn ");
	if (field)
		sscanf(field, " gfn %lx", &event->gfn);
	field = strstr(at, " pfn ");
	if (field)
		sscanf(field, " pfn %lx", &event->pfn);
	field = strstr(at, " pages ");
	if (field)
		sscanf(field, " pages %lu", &event->pages);
	field = strstr(at, " error ");
	if (field)
		sscanf(field, " error %d", &event->error);
	return true;
}

/* Read all events so far. Return -1 if that fails, or if there are more than MAX_EVENTS. */
static int read_events(struct events *events)
{
	FILE *file = fopen(TRACING "/trace", "re");
	struct event event;
	char line[512];

	events->nr = 0;
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		if (!parse(line, &event))
			continue;
		if (events->nr == MAX_EVENTS)
			break;
		events->event[events->nr++] = event;
	}
	fclose(file);
	return events->nr < MAX_EVENTS ? 0 : -1;
}

/* Find the next event from @at on with this gfn, or with this name; NULL if none. */
static const struct event *next_event(const struct events *events, unsigned int *at,
				      const char *name, uint64_t gfn)
{
	while (*at < events->nr) {
		const struct event *event = &events->event[(*at)++];

		if (name ? !strcmp(event->name, name) : gfn - event->gfn < event->pages)
			return event;
	}
	return NULL;
}

static const struct event *find_event(const struct events *events, const char *name)
{
	unsigned int at = 0;

	return next_event(events, &at, name, 0);
}

static unsigned int count_events(const struct events *events, const char *name)
{
	unsigned int at = 0, nr = 0;

	while (next_event(events, &at, name, 0))
		nr++;
	return nr;
}

FIXTURE(trace) {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
	struct events events;
};

FIXTURE_SETUP(trace)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	ASSERT_EQ(0, start_tracing());
	ASSERT_EQ(0, pvm_create(&self->vm, KVM_VM_TYPE_ARM_PROTECTED, 1, PAGES * PAGE));
	self->vcpu = &self->vm.vcpus[0];
}

FIXTURE_TEARDOWN(trace)
{
	pvm_free(&self->vm);
	switch_all("0");
}

/* A page is donated, relinquished, donated again, and reclaimed after the VM's death. */
TEST_F(trace, life_of_a_page)
{
	static const char * const life[] = {
		"page_donated", "page_relinquished", "page_donated", "page_reclaimed",
	};
	const uint64_t gfn = FIRST_GFN + 3;
	const struct event *event, *created;
	unsigned int at = 0;
	uint64_t pfn;

	ASSERT_EQ(0, pvm_command(self->vcpu, PVM_FILL, PVM_DATA_IPA, 1, PAGES, PAGE));
	ASSERT_EQ(HVC_SUCCESS, pvm_relinquish(self->vcpu, gfn * PAGE));
	pfn = pvm_pfn(self->vm.data + 3 * PAGE);
	ASSERT_NE(0, pfn);
	ASSERT_EQ(0, pvm_store(self->vcpu, gfn * PAGE, 1));
	ASSERT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, gfn * PAGE));
	pvm_kill(&self->vm);

	ASSERT_EQ(0, read_events(&self->events));
	created = find_event(&self->events, "vm_created");
	ASSERT_NE(NULL, created);
	for (size_t i = 0; i < ARRAY_SIZE(life); i++) {
		event = next_event(&self->events, &at, NULL, gfn);
		ASSERT_NE(NULL, event);
		EXPECT_STREQ(life[i], event->name);
		EXPECT_EQ(created->vm, event->vm);
		/* An event for several pages has the gfn of the first. */
		if (event->gfn == gfn)
			EXPECT_EQ(pfn, event->pfn);
	}
	EXPECT_EQ(NULL, next_event(&self->events, &at, NULL, gfn));

	/* The page with the code, all data pages, and one of them again. */
	EXPECT_EQ(PAGES + 2, count_events(&self->events, "page_donated"));
	EXPECT_EQ(1, count_events(&self->events, "page_relinquished"));
}

/* The events of a VM: creation, tables, reclaimed pages, destruction. */
TEST_F(trace, life_of_a_vm)
{
	const struct event *created, *destroyed, *event;
	uint64_t reclaimed = 0;
	unsigned int at = 0;

	ASSERT_EQ(0, pvm_command(self->vcpu, PVM_FILL, PVM_DATA_IPA, 1, 5, PAGE));
	for (uint64_t i = 0; i < 16; i++)
		ASSERT_EQ(HVC_SUCCESS, pvm_hvc(self->vcpu, HVC_GUARD_MAP,
					       0x100000000UL + (i << 31), 0, 0));
	pvm_kill(&self->vm);

	ASSERT_EQ(0, read_events(&self->events));
	created = find_event(&self->events, "vm_created");
	destroyed = find_event(&self->events, "vm_destroyed");
	ASSERT_NE(NULL, created);
	ASSERT_NE(NULL, destroyed);
	EXPECT_LT(created, destroyed);
	EXPECT_LT(0, created->pages);
	EXPECT_EQ(created->vm, destroyed->vm);
	EXPECT_EQ(6, destroyed->pages);
	while ((event = next_event(&self->events, &at, "page_reclaimed", 0)))
		reclaimed += event->pages;
	EXPECT_EQ(6, reclaimed);

	event = find_event(&self->events, "tables_given");
	ASSERT_NE(NULL, event);
	EXPECT_EQ(created->vm, event->vm);
	EXPECT_LT(0, event->pages);
}

/* The trace has no event for MEM_SHARE, MEM_UNSHARE and guards. */
TEST_F(trace, private_calls_not_traced)
{
	unsigned int before;

	ASSERT_EQ(0, pvm_command(self->vcpu, PVM_FILL, PVM_DATA_IPA, 1, PAGES / 2, PAGE));
	/* This makes the table for the guard before the trace starts. */
	ASSERT_EQ(HVC_SUCCESS, pvm_hvc(self->vcpu, HVC_GUARD_MAP, PVM_CHANNEL_IPA, 0, 0));
	ASSERT_EQ(0, read_events(&self->events));
	before = self->events.nr;
	EXPECT_LT(PAGES / 2, before);

	ASSERT_EQ(1, pvm_range(self->vcpu, HVC_MEM_SHARE, PVM_DATA_IPA, PAGES / 2));
	ASSERT_EQ(1, pvm_range(self->vcpu, HVC_MEM_UNSHARE, PVM_DATA_IPA, PAGES / 2));
	ASSERT_EQ(HVC_SUCCESS, pvm_hvc(self->vcpu, HVC_GUARD_ENROLL, 0, 0, 0));
	ASSERT_EQ(HVC_SUCCESS, pvm_hvc(self->vcpu, HVC_GUARD_MAP, PVM_DATA_IPA + 6 * PAGE, 0, 0));
	ASSERT_EQ(HVC_INVALID_PARAMETER, pvm_relinquish(self->vcpu, PVM_DATA_IPA + 7 * PAGE));
	ASSERT_EQ(0, read_events(&self->events));
	EXPECT_EQ(before, self->events.nr);
}

/* The host reclaims a page by force, and the guest's next access fails. */
TEST_F(trace, forced)
{
	int fd = pvm_map_file(self->vm.data, self->vm.data_size);
	const struct event *donated, *forced, *failed;
	uint64_t value;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, pvm_store(self->vcpu, PVM_DATA_IPA, 1));
	ASSERT_EQ(0, pvm_force(fd, 0));
	close(fd);
	ASSERT_EQ(-EFAULT, pvm_load(self->vcpu, PVM_DATA_IPA, &value));

	ASSERT_EQ(0, read_events(&self->events));
	forced = find_event(&self->events, "page_forced");
	failed = find_event(&self->events, "donation_failed");
	ASSERT_NE(NULL, forced);
	ASSERT_NE(NULL, failed);
	EXPECT_LT(forced, failed);
	EXPECT_EQ(0, forced->error);
	/* The host owns the page; the process has to map it again after the hole. */
	EXPECT_EQ(0, pvm_probe(self->vm.data, PVM_READ));
	EXPECT_EQ(pvm_pfn(self->vm.data), forced->pfn);
	EXPECT_EQ(FIRST_GFN, failed->gfn);
	EXPECT_EQ(-EHWPOISON, failed->error);
	donated = find_event(&self->events, "page_donated");
	ASSERT_NE(NULL, donated);
	EXPECT_EQ(donated->vm, failed->vm);
}

/* The host shares the pages that a non-protected VM accesses, and unshares them on an unmap. */
TEST_F(trace, np_shared)
{
	const struct event *event;
	bool shared = false, back = false;
	struct pvm np;
	unsigned int at = 0;

	ASSERT_EQ(0, pvm_create(&np, 0, 1, PAGES * PAGE));
	ASSERT_EQ(0, pvm_store(&np.vcpus[0], PVM_DATA_IPA, 1));
	ASSERT_EQ(0, madvise(np.data, PAGES * PAGE, MADV_DONTNEED));
	ASSERT_EQ(0, read_events(&self->events));
	pvm_free(&np);

	while ((event = next_event(&self->events, &at, NULL, FIRST_GFN))) {
		EXPECT_STREQ(shared ? "np_pages_unshared" : "np_pages_shared", event->name);
		back = shared;
		shared = true;
	}
	EXPECT_TRUE(back);
}

TEST_HARNESS_MAIN
