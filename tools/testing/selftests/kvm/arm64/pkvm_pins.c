// SPDX-License-Identifier: GPL-2.0-only
/*
 * References of the host's kernel to pages that a guest accesses or unshares.
 *
 * R9: the host has no reference to a private page. A reference prevents the donation of a page, and
 * one to a shared page prevents MEM_UNSHARE. KVM waits a second for the reference to go. Then
 * KVM_RUN fails with EBUSY, nothing has changed, and the next KVM_RUN waits again.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/compiler.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"
#include "pvm_backed.h"
#include "pvm_io.h"
#include "pvm_probe.h"
#include "pvm_secret.h"

#define PAGES		4
#define RACE_SECONDS	4
#define HUGE		(2UL * 1024 * 1024)

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

FIXTURE(pins) {
	struct pvm_backed b;
	struct pvm_vcpu *vcpu;
	size_t page;
	uint8_t *mem;
	uint8_t *buffer;
};

FIXTURE_VARIANT(pins) {
	int flags;
};

FIXTURE_VARIANT_ADD(pins, anonymous) { .flags = MAP_PRIVATE };
FIXTURE_VARIANT_ADD(pins, shmem) { .flags = MAP_SHARED };

/* The VM has a slot at PVM_DATA_IPA, and the host has not donated any of its pages. */
FIXTURE_SETUP(pins)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	ASSERT_EQ(0, pvm_backed_create(&self->b, -1, variant->flags, PAGES));
	self->vcpu = self->b.vcpu;
	self->page = self->b.page;
	self->mem = self->b.mem;
	memset(self->mem, 0x11, self->b.size);
	self->buffer = aligned_alloc(self->page, self->page);
	ASSERT_NE(NULL, self->buffer);
	memset(self->buffer, 0x77, self->page);
	/* The first run donates the page with the code. Later only a test causes donations. */
	ASSERT_NE(PVM_HVC_LOST, pvm_hvc(self->vcpu, HVC_FEATURES, 0, 0, 0));
	/* A fault of the guest is about one page. */
	ASSERT_EQ(0, pvm_write(PVM_FAULT_AROUND, "N"));
}

FIXTURE_TEARDOWN(pins)
{
	EXPECT_EQ(0, pvm_write(PVM_FAULT_AROUND, "Y"));
	EXPECT_EQ(0, pvm_backed_forced(&self->b));
	pvm_kill(&self->b.vm);
	EXPECT_FALSE(pvm_log_complains(self->b.log));
	pvm_backed_free(&self->b);
	free(self->buffer);
}

static int store(struct pvm_vcpu *vcpu, uint64_t ipa, uint64_t value)
{
	return pvm_command_to_end(vcpu, PVM_STORE, ipa, value, 0, 0);
}

static uint64_t load(struct pvm_vcpu *vcpu, uint64_t ipa)
{
	return pvm_command_to_end(vcpu, PVM_LOAD, ipa, 0, 0, 0) ? 0 : vcpu->results[0];
}

/* Continue a command until it is done, or fails. */
static int go_on(struct pvm_vcpu *vcpu)
{
	int err;

	do {
		err = pvm_run(vcpu);
	} while (err == -EINTR);
	return err;
}

static long memory_charged(void)
{
	return pvm_proc_number("/proc/self/status", "VmPin");
}

/* KVM does not donate a page while io_uring has it pinned. */
TEST_F(pins, fixed_buffer_before_donation)
{
	long donated = pvm_stat("pages_donated"), charged;
	struct pvm_ring ring;
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_READ_FIXED,
		.addr = (uintptr_t)self->mem,
		.len = 64,
	};
	double start;

	ASSERT_EQ(0, pvm_ring_open(&ring));
	ASSERT_EQ(0, pvm_ring_register(&ring, self->mem, self->page));
	/* io_uring charges the same way. */
	charged = memory_charged();
	start = seconds();
	EXPECT_EQ(-EBUSY, store(self->vcpu, PVM_DATA_IPA, PVM_SECRET));
	EXPECT_LT(0.5, seconds() - start);
	EXPECT_GT(10, seconds() - start);
	EXPECT_EQ(-EBUSY, go_on(self->vcpu));

	/* The failed donation changed nothing. */
	EXPECT_EQ(donated, pvm_stat("pages_donated"));
	EXPECT_EQ(charged, memory_charged());
	EXPECT_EQ(0x11, READ_ONCE(self->mem[0]));
	sqe.fd = memfd_create("file", MFD_CLOEXEC);
	ASSERT_EQ(64, pwrite(sqe.fd, self->buffer, 64, 0));
	EXPECT_EQ(64, pvm_ring_submit(&ring, &sqe));
	EXPECT_EQ(0x77, READ_ONCE(self->mem[63]));
	close(sqe.fd);

	ASSERT_EQ(0, pvm_ring_unregister(&ring));
	EXPECT_EQ(0, go_on(self->vcpu));
	EXPECT_EQ(donated + 1, pvm_stat("pages_donated"));
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem, PVM_READ));
	EXPECT_EQ(PVM_SECRET, load(self->vcpu, PVM_DATA_IPA));
	EXPECT_EQ(-EFAULT, pvm_ring_register(&ring, self->mem, self->page));
	pvm_ring_close(&ring);
}

/* A reference without a pin, by a pipe, prevents the donation, too. */
TEST_F(pins, pipe_before_donation)
{
	int ends[2];

	ASSERT_EQ(0, pvm_pipe_page(ends, self->mem, self->page));
	EXPECT_EQ(-EBUSY, store(self->vcpu, PVM_DATA_IPA, PVM_SECRET));
	EXPECT_EQ((ssize_t)self->page, read(ends[0], self->buffer, self->page));
	EXPECT_EQ(0x11, self->buffer[0]);
	EXPECT_EQ(0, go_on(self->vcpu));
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem, PVM_READ));
	close(ends[0]);
	close(ends[1]);
}

/* MEM_SHARE of a page before its donation waits for the reference, as an access does. */
TEST_F(pins, pipe_before_share)
{
	int ends[2];

	ASSERT_EQ(0, pvm_pipe_page(ends, self->mem, self->page));
	EXPECT_EQ(-EBUSY, pvm_command_to_end(self->vcpu, PVM_HVC, HVC_MEM_SHARE, PVM_DATA_IPA, 0,
					     0));
	close(ends[0]);
	close(ends[1]);
	EXPECT_EQ(0, go_on(self->vcpu));
	EXPECT_EQ(HVC_SUCCESS, (int64_t)self->vcpu->results[0]);
	EXPECT_EQ(0x11, READ_ONCE(self->mem[0]));
}

/* KVM's wait ends when the reference goes. */
struct later {
	struct pvm_ring *ring;
	int err;
};

static void *unregister_later(void *arg)
{
	struct later *later = arg;

	usleep(200000);
	later->err = pvm_ring_unregister(later->ring);
	return NULL;
}

TEST_F(pins, wait_for_donation)
{
	struct pvm_ring ring;
	struct later later = { &ring, -1 };
	pthread_t thread;
	double start;

	ASSERT_EQ(0, pvm_ring_open(&ring));
	ASSERT_EQ(0, pvm_ring_register(&ring, self->mem, self->page));
	start = seconds();
	ASSERT_EQ(0, pthread_create(&thread, NULL, unregister_later, &later));
	EXPECT_EQ(0, store(self->vcpu, PVM_DATA_IPA, PVM_SECRET));
	EXPECT_LT(0.15, seconds() - start);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, later.err);
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem, PVM_READ));
	pvm_ring_close(&ring);
}

static void on_alarm(int signal)
{
}

/* A signal ends KVM's wait at once. */
TEST_F(pins, interrupted_wait)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	const struct itimerval soon = { .it_value.tv_usec = 100000 };
	struct pvm_ring ring;

	ASSERT_EQ(0, pvm_ring_open(&ring));
	ASSERT_EQ(0, pvm_ring_register(&ring, self->mem, self->page));
	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &soon, NULL));
	EXPECT_EQ(-EINTR, pvm_command(self->vcpu, PVM_STORE, PVM_DATA_IPA, PVM_SECRET, 0, 0));
	ASSERT_EQ(0, pvm_ring_unregister(&ring));
	EXPECT_EQ(0, go_on(self->vcpu));
	pvm_ring_close(&ring);
}

/* A VM that dies while it waits for a page has no effect on the page. */
TEST_F(pins, death_while_waiting)
{
	long donated = pvm_stat("pages_donated") - pvm_pages_returned(), charged;
	int ends[2];

	ASSERT_EQ(0, pvm_pipe_page(ends, self->mem, self->page));
	EXPECT_EQ(-EBUSY, store(self->vcpu, PVM_DATA_IPA, PVM_SECRET));
	charged = memory_charged();
	pvm_kill(&self->b.vm);
	EXPECT_LT(0, donated);
	EXPECT_EQ(pvm_stat("pages_donated"), pvm_pages_returned());
	EXPECT_GT(charged, memory_charged());
	EXPECT_EQ(0x11, READ_ONCE(self->mem[0]));
	EXPECT_EQ((ssize_t)self->page, read(ends[0], self->buffer, self->page));
	EXPECT_EQ(0x11, self->buffer[0]);
	close(ends[0]);
	close(ends[1]);
}

/* io_uring can use a shared page. The page stays shared while io_uring has it pinned. */
TEST_F(pins, unshare_of_a_fixed_buffer)
{
	struct pvm_ring ring;
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_READ_FIXED,
		.addr = (uintptr_t)self->mem,
		.len = 64,
	};

	sqe.fd = memfd_create("file", MFD_CLOEXEC);
	ASSERT_EQ(64, pwrite(sqe.fd, self->buffer, 64, 0));
	ASSERT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, PVM_DATA_IPA));
	ASSERT_EQ(0, pvm_ring_open(&ring));
	ASSERT_EQ(0, pvm_ring_register(&ring, self->mem, self->page));
	EXPECT_EQ(64, pvm_ring_submit(&ring, &sqe));
	EXPECT_EQ(0x7777777777777777UL, load(self->vcpu, PVM_DATA_IPA));

	EXPECT_EQ(-EBUSY, pvm_command_to_end(self->vcpu, PVM_HVC, HVC_MEM_UNSHARE, PVM_DATA_IPA,
					     0, 0));
	EXPECT_EQ(0, pvm_probe(self->mem, PVM_READ));
	EXPECT_EQ(64, pvm_ring_submit(&ring, &sqe));
	ASSERT_EQ(0, pvm_ring_unregister(&ring));
	EXPECT_EQ(0, go_on(self->vcpu));
	EXPECT_EQ(HVC_SUCCESS, (int64_t)self->vcpu->results[0]);

	EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem, PVM_READ));
	EXPECT_EQ(-EFAULT, pvm_ring_register(&ring, self->mem, self->page));
	EXPECT_EQ(0x7777777777777777UL, load(self->vcpu, PVM_DATA_IPA));
	pvm_ring_close(&ring);
	close(sqe.fd);
}

/* MEM_UNSHARE of a range ends before the first page with a reference. */
TEST_F(pins, unshare_of_a_range)
{
	int ends[2];

	ASSERT_EQ(HVC_SUCCESS, pvm_hvc(self->vcpu, HVC_MEM_SHARE, PVM_DATA_IPA, PAGES, 0));
	ASSERT_EQ(PAGES, self->vcpu->results[1]);
	ASSERT_EQ(0, pvm_pipe_page(ends, self->mem + 2 * self->page, self->page));
	EXPECT_EQ(HVC_SUCCESS, pvm_hvc(self->vcpu, HVC_MEM_UNSHARE, PVM_DATA_IPA, PAGES, 0));
	EXPECT_EQ(2, self->vcpu->results[1]);
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem + self->page, PVM_READ));
	EXPECT_EQ(0, pvm_probe(self->mem + 2 * self->page, PVM_READ));
	EXPECT_EQ((ssize_t)self->page, read(ends[0], self->buffer, self->page));
	EXPECT_EQ(0x11, self->buffer[0]);
	EXPECT_EQ(1, pvm_range(self->vcpu, HVC_MEM_UNSHARE, PVM_DATA_IPA + 2 * self->page, 2));
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem + 2 * self->page, PVM_READ));
	close(ends[0]);
	close(ends[1]);
}

/* MEM_UNSHARE of a page in two pipes succeeds when both pipes have released it. */
TEST_F(pins, unshare_after_tee)
{
	int first[2], second[2];

	ASSERT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, PVM_DATA_IPA));
	ASSERT_EQ(0, pvm_pipe_page(first, self->mem, self->page));
	ASSERT_EQ(0, pipe(second));
	ASSERT_EQ((ssize_t)self->page, tee(first[0], second[1], self->page, 0));
	EXPECT_EQ((ssize_t)self->page, read(first[0], self->buffer, self->page));
	EXPECT_EQ(-EBUSY, pvm_command_to_end(self->vcpu, PVM_HVC, HVC_MEM_UNSHARE, PVM_DATA_IPA,
					     0, 0));
	EXPECT_EQ((ssize_t)self->page, read(second[0], self->buffer, self->page));
	EXPECT_EQ(0x11, self->buffer[0]);
	EXPECT_EQ(0, go_on(self->vcpu));
	EXPECT_EQ(HVC_SUCCESS, (int64_t)self->vcpu->results[0]);
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem, PVM_READ));
	close(first[0]);
	close(first[1]);
	close(second[0]);
	close(second[1]);
}

/* At the VM's death the host gets a shared page back that io_uring still uses. */
TEST_F(pins, death_with_a_fixed_buffer)
{
	struct pvm_ring ring;

	ASSERT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, PVM_DATA_IPA));
	ASSERT_EQ(0, pvm_ring_open(&ring));
	ASSERT_EQ(0, pvm_ring_register(&ring, self->mem, self->page));
	pvm_kill(&self->b.vm);
	EXPECT_EQ(pvm_stat("pages_donated"), pvm_pages_returned());
	EXPECT_EQ(0, pvm_ring_unregister(&ring));
	EXPECT_EQ(0, pvm_ring_register(&ring, self->mem, self->b.size));
	pvm_ring_close(&ring);

	ASSERT_EQ(0, pvm_create(&self->b.vm, KVM_VM_TYPE_ARM_PROTECTED, 1, 0));
	ASSERT_EQ(0, pvm_set_slot(&self->b.vm, PVM_DATA_SLOT, 0, PVM_DATA_IPA, self->b.size,
				  self->mem));
	/* The pin of the dead VM's page neither prevents its donation now nor its unsharing. */
	EXPECT_EQ(0, store(&self->b.vm.vcpus[0], PVM_DATA_IPA, PVM_SECRET));
	EXPECT_EQ(HVC_SUCCESS, pvm_share(&self->b.vm.vcpus[0], PVM_DATA_IPA));
	EXPECT_EQ(HVC_SUCCESS, pvm_unshare(&self->b.vm.vcpus[0], PVM_DATA_IPA));
}

/* The host can pin and use a page that the guest relinquished. */
TEST_F(pins, relinquished)
{
	int ends[2];

	ASSERT_EQ(0, store(self->vcpu, PVM_DATA_IPA, PVM_SECRET));
	EXPECT_EQ(-EFAULT, pvm_pipe_page(ends, self->mem, self->page));
	close(ends[0]);
	close(ends[1]);
	ASSERT_EQ(HVC_SUCCESS, pvm_relinquish(self->vcpu, PVM_DATA_IPA));
	EXPECT_EQ(0, pvm_pipe_page(ends, self->mem, self->page));
	close(ends[0]);
	close(ends[1]);
}

/* How the racing thread uses the first page in a loop. */
enum user { DIRECT_READ, PIPE, READV, USERS };

struct racer {
	uint8_t *mem;
	size_t page;
	struct pvm_disk *disk;
	int done;
	unsigned long used[USERS];
	unsigned long refused[USERS];
	unsigned long odd;
};

static ssize_t use_page(struct racer *racer, enum user user, uint8_t *copy)
{
	struct iovec local = { copy, racer->page }, remote = { racer->mem, racer->page };
	ssize_t ret;
	int ends[2];

	switch (user) {
	case DIRECT_READ:
		return pread(racer->disk->fd, racer->mem, racer->page, 0);
	case PIPE:
		ret = pvm_pipe_page(ends, racer->mem, racer->page) ? -1 :
		      read(ends[0], copy, racer->page);
		close(ends[0]);
		close(ends[1]);
		return ret;
	default:
		return process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
	}
}

static void *use_often(void *arg)
{
	struct racer *racer = arg;
	uint8_t *copy = malloc(racer->page);

	for (unsigned int i = 0; copy && !READ_ONCE(racer->done); i++) {
		enum user user = i % USERS;

		errno = 0;
		if (use_page(racer, user, copy) == (ssize_t)racer->page)
			racer->used[user]++;
		else if (errno == EFAULT)
			racer->refused[user]++;
		else
			racer->odd++;
		if (pvm_secrets_in(copy, racer->page))
			racer->odd++;
	}
	free(copy);
	return NULL;
}

/* Each user has used the page at some time, and nothing odd has happened. */
static void end_race(struct __test_metadata *_metadata, struct racer *racer, pthread_t thread,
		     unsigned int rounds)
{
	WRITE_ONCE(racer->done, 1);
	pthread_join(thread, NULL);
	TH_LOG("%u rounds", rounds);
	EXPECT_EQ(0, racer->odd);
	for (int user = 0; user < USERS; user++) {
		TH_LOG("user %d: %lu times, %lu refused", user, racer->used[user],
		       racer->refused[user]);
		EXPECT_LT(0, racer->used[user]);
	}
	EXPECT_EQ(0, pvm_disk_close(racer->disk));
}

/*
 * Whenever the page is private, the guest stores its secret and loads it again: no host operation
 * in flight at the time of the MEM_UNSHARE has written to the page since, and none has read it.
 */
TEST_F(pins, races_of_unshare)
{
	struct pvm_disk disk;
	struct racer racer = { .mem = self->mem, .page = self->page, .disk = &disk };
	unsigned int words = self->page / sizeof(uint64_t), i;
	pthread_t thread;
	double end;

	if (pvm_disk_open(&disk))
		SKIP(return, "needs CONFIG_ZRAM");
	ASSERT_EQ((ssize_t)self->page, pwrite(disk.fd, self->buffer, self->page, 0));
	ASSERT_EQ(0, store(self->vcpu, PVM_DATA_IPA, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, use_often, &racer));
	end = seconds() + RACE_SECONDS;
	for (i = 0; seconds() < end; i++) {
		ASSERT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, PVM_DATA_IPA));
		if (i % 4 == 0)
			usleep(1000);
		ASSERT_EQ(HVC_SUCCESS, pvm_unshare(self->vcpu, PVM_DATA_IPA));
		ASSERT_EQ(0, pvm_command_to_end(self->vcpu, PVM_FILL, PVM_DATA_IPA, PVM_SECRET,
						words, sizeof(uint64_t)));
		ASSERT_EQ(PVM_SECRET, load(self->vcpu, PVM_DATA_IPA));
		ASSERT_EQ(PVM_SECRET, load(self->vcpu, PVM_DATA_IPA + self->page - 8));
		/* Zero the page before the guest shares it, so the host cannot read secrets. */
		ASSERT_EQ(0, pvm_command_to_end(self->vcpu, PVM_FILL, PVM_DATA_IPA, 0, words,
						sizeof(uint64_t)));
	}
	end_race(_metadata, &racer, thread, i);
	for (int user = 0; user < USERS; user++)
		EXPECT_LT(0, racer.refused[user]);
}

/* The host donates a page while another thread uses it, in a loop. */
TEST_F(pins, races_of_donation)
{
	struct pvm_disk disk;
	struct racer racer = { .mem = self->mem, .page = self->page, .disk = &disk };
	pthread_t thread;
	unsigned int i;
	double end;

	if (pvm_disk_open(&disk))
		SKIP(return, "needs CONFIG_ZRAM");
	ASSERT_EQ((ssize_t)self->page, pwrite(disk.fd, self->buffer, self->page, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, use_often, &racer));
	end = seconds() + RACE_SECONDS;
	for (i = 0; seconds() < end; i++) {
		ASSERT_EQ(0, store(self->vcpu, PVM_DATA_IPA, PVM_SECRET));
		ASSERT_EQ(PVM_SECRET, load(self->vcpu, PVM_DATA_IPA));
		ASSERT_EQ(SEGV_ACCERR, pvm_probe(self->mem, PVM_READ));
		ASSERT_EQ(HVC_SUCCESS, pvm_relinquish(self->vcpu, PVM_DATA_IPA));
		if (i % 4 == 0)
			usleep(1000);
	}
	end_race(_metadata, &racer, thread, i);
}

/* The guest owns single pages of a huge page. The kernel counts references to all of it. */
TEST_F(pins, huge_page)
{
	uint64_t ipa = PVM_DATA_IPA + (1UL << 30);
	uint8_t *area = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0);
	struct iovec local = { self->buffer, self->page }, remote;
	uint8_t *huge = area + -(uintptr_t)area % HUGE;
	int ends[2];

	ASSERT_NE(MAP_FAILED, area);
	ASSERT_EQ(0, madvise(huge, HUGE, MADV_HUGEPAGE));
	memset(huge, 0x22, HUGE);
	ASSERT_EQ(0, pvm_set_slot(&self->b.vm, PVM_FREE_SLOT, 0, ipa, HUGE, huge));

	ASSERT_EQ(0, pvm_pipe_page(ends, huge + 5 * self->page, self->page));
	EXPECT_EQ(-EBUSY, store(self->vcpu, ipa + self->page, PVM_SECRET));
	close(ends[0]);
	close(ends[1]);
	EXPECT_EQ(0, go_on(self->vcpu));
	EXPECT_EQ(0, store(self->vcpu, ipa + 2 * self->page, PVM_SECRET));
	EXPECT_EQ(0, store(self->vcpu, ipa + 4 * self->page, PVM_SECRET));

	/* GUP, fast and slow, refuses the guest's page and takes the others. */
	EXPECT_EQ(-EFAULT, pvm_pipe_page(ends, huge + self->page, self->page));
	close(ends[0]);
	close(ends[1]);
	EXPECT_EQ(0, pvm_pipe_page(ends, huge + 3 * self->page, self->page));
	close(ends[0]);
	close(ends[1]);
	remote = (struct iovec) { huge + self->page, self->page };
	EXPECT_EQ(-1, process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
	EXPECT_EQ(EFAULT, errno);
	remote.iov_base = huge + 3 * self->page;
	EXPECT_EQ((ssize_t)self->page, process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
	EXPECT_EQ(0x22, self->buffer[0]);
	/* A call on several pages gets those before the guest's page. */
	remote = (struct iovec) { huge, 4 * self->page };
	local.iov_base = aligned_alloc(self->page, 4 * self->page);
	local.iov_len = 4 * self->page;
	EXPECT_EQ((ssize_t)self->page, process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
	free(local.iov_base);

	EXPECT_EQ(PVM_SECRET, load(self->vcpu, ipa + self->page));
	EXPECT_EQ(PVM_SECRET, load(self->vcpu, ipa + 4 * self->page));
	munmap(area, 2 * HUGE);
}

TEST_HARNESS_MAIN
