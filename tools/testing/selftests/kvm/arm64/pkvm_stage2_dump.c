// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dumps of stage-2 tables in debugfs, of VMs and of the host.
 *
 * Rule: a dump has every mapping with its right state, and is a snapshot of one moment, even while
 * vCPUs change the tables or the VM dies.
 *
 * Needs a kernel with CONFIG_PKVM_STAGE2_DEBUG.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/compiler.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"
#include "pvm_dump.h"
#include "pvm_probe.h"

#define PAGE		((uint64_t)getpagesize())
#define PAGES		512UL
#define DEVICE_IPA	0x20000000UL
/* The size of a block of level 2. */
#define BLOCK		(PAGE * (PAGE / 8))

#define NR_DUMPS	200
#define NR_DEATHS	12
/* The time limit in seconds, for a busy machine. */
#define PATIENCE	120

#define EXPECT_WHAT(dump, address, text)						\
	EXPECT_STREQ(text, pvm_dump_at(dump, address)->what)

FIXTURE(dump) {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
	char path[256];
	struct pvm_dump dump;
};

FIXTURE_SETUP(dump)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");
	if (access(PVM_HOST_DUMP, R_OK))
		SKIP(return, "the kernel has no CONFIG_PKVM_STAGE2_DEBUG");

	ASSERT_EQ(0, pvm_create(&self->vm, KVM_VM_TYPE_ARM_PROTECTED, 1, PAGES * PAGE));
	self->vcpu = &self->vm.vcpus[0];
	snprintf(self->path, sizeof(self->path), "/sys/kernel/debug/kvm/%d-%d/stage2_page_tables",
		 getpid(), self->vm.fd);
}

FIXTURE_TEARDOWN(dump)
{
	pvm_dump_free(&self->dump);
	pvm_free(&self->vm);
}

/* Read a dump, which must be sound. */
static void read_sound(struct __test_metadata *const _metadata, struct pvm_dump *dump,
		       const char *path, bool host)
{
	const char *unsound;

	pvm_dump_free(dump);
	ASSERT_EQ(0, pvm_dump_read(dump, path)) {
		TH_LOG("%s", path);
	}
	unsound = pvm_dump_unsound(dump, host);
	ASSERT_EQ(NULL, unsound) {
		TH_LOG("%s: %s", path, unsound);
	}
}

/* Rule: before the first run of a VM, its dump cannot be read. */
TEST_F(dump, before_first_run)
{
	EXPECT_EQ(-ENOENT, pvm_dump_read(&self->dump, self->path));
}

/* Rule: a VM's dump has exactly the guest's pages, each with its state. */
TEST_F(dump, vm_dump)
{
	int fd = pvm_map_file(self->vm.data, self->vm.data_size);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, pvm_command(self->vcpu, PVM_FILL, PVM_DATA_IPA, 1, 8, PAGE));
	ASSERT_EQ(1, pvm_range(self->vcpu, HVC_MEM_SHARE, PVM_DATA_IPA + 2 * PAGE, 3));
	ASSERT_EQ(HVC_SUCCESS, pvm_unshare(self->vcpu, PVM_DATA_IPA + 3 * PAGE));
	ASSERT_EQ(HVC_SUCCESS, pvm_relinquish(self->vcpu, PVM_DATA_IPA + 5 * PAGE));
	ASSERT_LT(0, pvm_range(self->vcpu, HVC_RGUARD_MAP, DEVICE_IPA, BLOCK / PAGE + 2));

	ASSERT_EQ(0, pvm_force(fd, 6 * PAGE));
	close(fd);

	read_sound(_metadata, &self->dump, self->path, false);
	for (unsigned int i = 0; i < 9; i++) {
		static const char * const states[] = {
			"owned RWX normal", "owned RWX normal", "shared RWX normal sw 1",
			"owned RWX normal", "shared RWX normal sw 1", "empty", "poisoned 800",
			"owned RWX normal", "empty",
		};

		EXPECT_WHAT(&self->dump, PVM_DATA_IPA + i * PAGE, states[i]) {
			TH_LOG("page %u", i);
		}
	}
	EXPECT_WHAT(&self->dump, PVM_CODE_IPA, "owned RWX normal");
	EXPECT_EQ(7, self->dump.total[PVM_DUMP_LEAVES_L3]);

	/* Annotations: a block and two pages of guards, and the page reclaimed by force. */
	EXPECT_EQ(4, self->dump.total[PVM_DUMP_ANNOTATED]);
	EXPECT_WHAT(&self->dump, DEVICE_IPA, "guard 4");
	EXPECT_WHAT(&self->dump, DEVICE_IPA + BLOCK + PAGE, "guard 4");
	EXPECT_WHAT(&self->dump, DEVICE_IPA + BLOCK + 2 * PAGE, "empty");
	EXPECT_WHAT(&self->dump, DEVICE_IPA - 1, "empty");
	EXPECT_EQ(2, pvm_dump_at(&self->dump, DEVICE_IPA)->level);
}

/* Rule: the host's dump has the same pages with their state for the host. */
TEST_F(dump, host_dump)
{
	uint64_t private, shared;

	ASSERT_EQ(0, pvm_command(self->vcpu, PVM_FILL, PVM_DATA_IPA, 1, 2, PAGE));
	ASSERT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, PVM_DATA_IPA + PAGE));
	private = pvm_pfn(self->vm.data) * PAGE;
	shared = pvm_pfn(self->vm.data + PAGE) * PAGE;
	ASSERT_NE(0, private);
	ASSERT_NE(0, shared);

	read_sound(_metadata, &self->dump, PVM_HOST_DUMP, true);
	EXPECT_EQ(0, strncmp(pvm_dump_at(&self->dump, private)->what, "guest ", 6));
	EXPECT_WHAT(&self->dump, shared, "borrowed RWX normal");
	EXPECT_EQ(3, pvm_dump_at(&self->dump, private)->level);

	pvm_kill(&self->vm);
	WRITE_ONCE(self->vm.data[0], 1);
	WRITE_ONCE(self->vm.data[PAGE], 1);
	read_sound(_metadata, &self->dump, PVM_HOST_DUMP, true);
	EXPECT_WHAT(&self->dump, private, "owned RWX normal");
	EXPECT_WHAT(&self->dump, shared, "owned RWX normal");
}

/* Rule: the dumps have the pages that the host shares with a non-protected VM. */
TEST_F(dump, np_vm)
{
	struct pvm np;
	char path[256];

	ASSERT_EQ(0, pvm_create(&np, 0, 1, PAGES * PAGE));
	snprintf(path, sizeof(path), "/sys/kernel/debug/kvm/%d-%d/stage2_page_tables", getpid(),
		 np.fd);
	ASSERT_EQ(0, pvm_store(&np.vcpus[0], PVM_DATA_IPA, 1));

	read_sound(_metadata, &self->dump, path, false);
	EXPECT_EQ(0, strncmp(pvm_dump_at(&self->dump, PVM_DATA_IPA)->what, "borrowed RW", 11));
	read_sound(_metadata, &self->dump, PVM_HOST_DUMP, true);
	EXPECT_WHAT(&self->dump, pvm_pfn(np.data) * PAGE, "shared RWX normal");

	pvm_free(&np);
	read_sound(_metadata, &self->dump, PVM_HOST_DUMP, true);
}

struct worker {
	pthread_t thread;
	struct pvm *vm;
	const char *path;
	atomic_bool stop;
	long done;
	int err;
};

/* Share and unshare two pages with one call, with calls on other pages in between. */
static void *work(void *arg)
{
	struct worker *w = arg;
	struct pvm_vcpu *vcpu = &w->vm->vcpus[0];
	uint64_t ipa;

	while (!w->err && !atomic_load(&w->stop)) {
		ipa = PVM_DATA_IPA + (2 + w->done % (PAGES - 2)) * PAGE;
		if (pvm_range(vcpu, HVC_MEM_SHARE, PVM_DATA_IPA, 2) != 1 ||
		    pvm_store(vcpu, ipa, 1) ||
		    pvm_range(vcpu, HVC_MEM_UNSHARE, PVM_DATA_IPA, 2) != 1 ||
		    (w->done % 3 && pvm_relinquish(vcpu, ipa)))
			w->err = 1;
		w->done++;
	}
	return NULL;
}

/* Rule: a dump is a snapshot, although the guest changes its tables meanwhile. */
TEST_F_TIMEOUT(dump, consistent_snapshot, PATIENCE)
{
	struct worker w = { .vm = &self->vm };
	unsigned int shared = 0;
	uint64_t value;

	ASSERT_EQ(0, pvm_command(self->vcpu, PVM_FILL, PVM_DATA_IPA, 1, 2, PAGE));
	ASSERT_EQ(0, pthread_create(&w.thread, NULL, work, &w));
	for (unsigned int i = 0; i < NR_DUMPS; i++) {
		const struct pvm_dump_run *run;

		read_sound(_metadata, &self->dump, self->path, false);
		run = pvm_dump_at(&self->dump, PVM_DATA_IPA);
		EXPECT_EQ(run, pvm_dump_at(&self->dump, PVM_DATA_IPA + PAGE));
		shared += !strncmp(run->what, "shared", 6);
	}
	atomic_store(&w.stop, true);
	ASSERT_EQ(0, pthread_join(w.thread, NULL));
	EXPECT_EQ(0, w.err);
	TH_LOG("%ld rounds of the guest, %u of %u dumps saw its pages shared", w.done, shared,
	       NR_DUMPS);
	EXPECT_LT(0, w.done);
	ASSERT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
	EXPECT_EQ(1, value);
}

static void *read_again_and_again(void *arg)
{
	struct worker *w = arg;
	struct pvm_dump dump;
	int err;

	while (!atomic_load(&w->stop)) {
		err = pvm_dump_read(&dump, w->path);
		if (err && err != -ENOENT && err != -EIO)
			w->err = err;
		if (!err && pvm_dump_unsound(&dump, false))
			w->err = -EBADMSG;
		w->done += !err;
		pvm_dump_free(&dump);
	}
	return NULL;
}

/* Rule: when a VM dies during the read of its dump, the dump is complete or the read fails. */
TEST_F_TIMEOUT(dump, death_during_read, PATIENCE)
{
	struct worker w = { .path = self->path };
	char first[64];
	ssize_t got;
	int fd;

	ASSERT_EQ(0, pvm_command(self->vcpu, PVM_FILL, PVM_DATA_IPA, 1, PAGES, PAGE));
	fd = open(self->path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ((ssize_t)sizeof(first), read(fd, first, sizeof(first)));
	pvm_kill(&self->vm);
	got = read(fd, first, sizeof(first));
	EXPECT_TRUE(got > 0 || errno == EIO);
	close(fd);
	pvm_free(&self->vm);

	ASSERT_EQ(0, pthread_create(&w.thread, NULL, read_again_and_again, &w));
	for (unsigned int i = 0; i < NR_DEATHS; i++) {
		/* The VM gets the descriptors of the one before, and so the same file name. */
		ASSERT_EQ(0, pvm_create(&self->vm, KVM_VM_TYPE_ARM_PROTECTED, 1, PAGES * PAGE));
		ASSERT_EQ(0, pvm_command(self->vcpu, PVM_FILL, PVM_DATA_IPA, 1, PAGES, PAGE));
		pvm_free(&self->vm);
	}
	atomic_store(&w.stop, true);
	ASSERT_EQ(0, pthread_join(w.thread, NULL));
	EXPECT_EQ(0, w.err);
	TH_LOG("%ld dumps of %u VMs that died", w.done, NR_DEATHS);
	EXPECT_LT(0, w.done);
	EXPECT_EQ(pvm_stat("pages_donated"), pvm_pages_returned());
	EXPECT_EQ(pvm_stat("metadata_pages_donated"), pvm_stat("metadata_pages_returned"));
}

TEST_HARNESS_MAIN
