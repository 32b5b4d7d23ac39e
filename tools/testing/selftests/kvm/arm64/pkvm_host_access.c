// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls that reach a private page by the kernel's own mapping, or pin it first: the access
 * paths that pkvm_private_access and pkvm_reclaim do not take.
 *
 * R2: no access path leads to the guest's secret. R3: what comes back by force comes back as
 * zeroes. R5: the access ends in an error or in the page's forced reclaim, which the guest learns;
 * the kernel has nothing to complain of, and nothing takes for ever (each test
 * has the harness's time limit).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/compiler.h>
#include <linux/stddef.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm_probe.h"
#include "pvm_secret.h"

#define PAGES		4
#define DISK_SIZE	"16M"
#define CORE		"/tmp/pkvm.core"
/* How long a page is shared and taken back while a system call reads it. */
#define RACE_SECONDS	10

FIXTURE(access_path) {
	struct pvm_secrets s;
	uint8_t *mem;
	size_t page;
	uint8_t *buffer;
	/* What has to have become of the first page, if the test says nothing else. */
	enum pvm_fate fate;
};

FIXTURE_VARIANT(access_path) {
	int flags;
};

FIXTURE_VARIANT_ADD(access_path, anonymous) { .flags = MAP_PRIVATE };
FIXTURE_VARIANT_ADD(access_path, shmem) { .flags = MAP_SHARED };

FIXTURE_SETUP(access_path)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	ASSERT_EQ(0, pvm_secrets_create(&self->s, variant->flags, PAGES));
	self->mem = self->s.mem;
	self->page = self->s.page;
	self->buffer = aligned_alloc(self->page, self->page);
	ASSERT_NE(NULL, self->buffer);
	memset(self->buffer, 0x77, self->page);
}

/* What the first page became, the test says; the others are the guest's, as they were. */
FIXTURE_TEARDOWN(access_path)
{
	for (unsigned int i = 1; i < PAGES; i++)
		EXPECT_EQ(PVM_KEPT, pvm_secrets_fate(&self->s, i));
	EXPECT_EQ(self->fate, pvm_secrets_fate(&self->s, 0));
	EXPECT_FALSE(pvm_secrets_in(self->buffer, self->page));
	if (self->fate == PVM_LOST) {
		EXPECT_EQ(0, pvm_probe(self->mem, PVM_READ));
		EXPECT_FALSE(pvm_secrets_in(self->mem, self->page));
	} else {
		EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem, PVM_READ));
	}
	EXPECT_FALSE(pvm_log_complains(self->s.log));
	pvm_secrets_free(&self->s);
	free(self->buffer);
}

TEST_F(access_path, process_vm_readv)
{
	struct iovec local = { self->buffer, 64 }, remote = { self->mem, 64 };

	EXPECT_EQ(64, process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
	EXPECT_EQ(0, *(uint64_t *)self->buffer);
	self->fate = PVM_LOST;
}

TEST_F(access_path, process_vm_writev)
{
	struct iovec local = { self->buffer, 64 }, remote = { self->mem, 64 };

	EXPECT_EQ(64, process_vm_writev(getpid(), &local, 1, &remote, 1, 0));
	EXPECT_EQ(0x77, READ_ONCE(self->mem[63]));
	EXPECT_EQ(0, READ_ONCE(self->mem[64]));
	self->fate = PVM_LOST;
}

/* From the other side: the local half is a user access, and simply fails. */
TEST_F(access_path, process_vm_readv_into)
{
	struct iovec local = { self->mem, 64 }, remote = { self->buffer, 64 };

	EXPECT_EQ(-1, process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
	EXPECT_EQ(EFAULT, errno);
}

/*
 * A system call looks whether it can read a page, and reads it with faults disabled. That it has
 * become private in between is an error of the call: the guest, which only takes back what it
 * shared, does not lose it.
 */
struct unsharing {
	struct pvm_vcpu *vcpu;
	uint64_t ipa;
	int error;
	int done;
};

static void *unshare_often(void *arg)
{
	struct unsharing *u = arg;

	while (!READ_ONCE(u->done)) {
		if (pvm_share(u->vcpu, u->ipa) || pvm_unshare(u->vcpu, u->ipa)) {
			WRITE_ONCE(u->error, -EPROTO);
			break;
		}
	}
	return NULL;
}

TEST_F_TIMEOUT(access_path, write_from_what_is_unshared, 60)
{
	struct unsharing u = { &self->s.vm.vcpus[0], PVM_DATA_IPA };
	int file = memfd_create("copies", MFD_CLOEXEC);
	unsigned long copied = 0, refused = 0;
	time_t end = time(NULL) + RACE_SECONDS;
	pthread_t thread;

	ASSERT_LE(0, file);
	ASSERT_EQ(0, pthread_create(&thread, NULL, unshare_often, &u));
	while (!READ_ONCE(u.error) && (time(NULL) < end || !copied || !refused)) {
		if (pwrite(file, self->mem, self->page, 0) < 0)
			refused++;
		else
			copied++;
	}
	WRITE_ONCE(u.done, 1);
	pthread_join(thread, NULL);
	close(file);
	EXPECT_EQ(0, u.error);
	EXPECT_LT(0, copied);
	EXPECT_LT(0, refused);
	self->fate = PVM_KEPT;
}

/* A debugger; it was there before the VM, since fork() is an access path of its own. */
FIXTURE(debugged) {
	struct pvm_secrets s;
	pid_t debugger;
	int to[2];
	int from[2];
};

static void debug_parent(int commands, int answers)
{
	uint8_t *at;

	while (read(commands, &at, sizeof(at)) == sizeof(at)) {
		long word = PVM_SECRET;
		int status;

		if (ptrace(PTRACE_ATTACH, getppid(), NULL, NULL))
			_exit(1);
		waitpid(getppid(), &status, __WALL);
		errno = 0;
		word = ptrace(PTRACE_PEEKDATA, getppid(), at, NULL);
		if (errno)
			word = -errno;
		if (ptrace(PTRACE_POKEDATA, getppid(), at + sizeof(word), PVM_FOREIGN))
			word = -errno;
		ptrace(PTRACE_DETACH, getppid(), NULL, NULL);
		if (write(answers, &word, sizeof(word)) != sizeof(word))
			_exit(1);
	}
	_exit(0);
}

FIXTURE_SETUP(debugged)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");
	ASSERT_EQ(0, pipe(self->to));
	ASSERT_EQ(0, pipe(self->from));
	self->debugger = fork();
	ASSERT_LE(0, self->debugger);
	if (!self->debugger) {
		close(self->to[1]);
		debug_parent(self->to[0], self->from[1]);
	}
	close(self->to[0]);
	ASSERT_EQ(0, pvm_secrets_create(&self->s, MAP_PRIVATE, PAGES));
}

FIXTURE_TEARDOWN(debugged)
{
	int status;

	close(self->to[1]);
	EXPECT_EQ(self->debugger, waitpid(self->debugger, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_FALSE(pvm_log_complains(self->s.log));
	pvm_secrets_free(&self->s);
}

TEST_F(debugged, peek_and_poke)
{
	const uint64_t *words = (uint64_t *)self->s.mem;
	long word = PVM_SECRET;

	ASSERT_EQ(sizeof(self->s.mem), write(self->to[1], &self->s.mem, sizeof(self->s.mem)));
	ASSERT_EQ(sizeof(word), read(self->from[0], &word, sizeof(word)));
	EXPECT_EQ(0, word);
	EXPECT_EQ(PVM_KEPT, pvm_secrets_fate(&self->s, 1));
	EXPECT_EQ(PVM_LOST, pvm_secrets_fate(&self->s, 0));
	EXPECT_EQ(0, READ_ONCE(words[0]));
	EXPECT_EQ(PVM_FOREIGN, READ_ONCE(words[1]));
}

/* The page itself goes into the pipe, and is copied when somebody reads it there. */
TEST_F(access_path, vmsplice_and_read)
{
	struct iovec iov = { self->mem, self->page };
	int ends[2];

	ASSERT_EQ(0, pipe(ends));
	ASSERT_EQ((ssize_t)self->page, vmsplice(ends[1], &iov, 1, 0));
	EXPECT_EQ((ssize_t)self->page, read(ends[0], self->buffer, self->page));
	EXPECT_EQ(0, *(uint64_t *)self->buffer);
	close(ends[0]);
	close(ends[1]);
	self->fate = PVM_LOST;
}

TEST_F(access_path, vmsplice_and_splice)
{
	int file = memfd_create("file", MFD_CLOEXEC);
	struct iovec iov = { self->mem, self->page };
	int ends[2];

	ASSERT_LE(0, file);
	ASSERT_EQ(0, pipe(ends));
	ASSERT_EQ((ssize_t)self->page, vmsplice(ends[1], &iov, 1, 0));
	EXPECT_EQ((ssize_t)self->page, splice(ends[0], NULL, file, NULL, self->page, 0));
	EXPECT_EQ((ssize_t)self->page, pread(file, self->buffer, self->page, 0));
	EXPECT_EQ(0, *(uint64_t *)self->buffer);
	close(ends[0]);
	close(ends[1]);
	close(file);
	self->fate = PVM_LOST;
}

/* A page that only lies in a pipe has been touched by nobody. */
TEST_F(access_path, vmsplice_alone)
{
	struct iovec iov = { self->mem, self->page };
	int ends[2];

	ASSERT_EQ(0, pipe(ends));
	ASSERT_EQ((ssize_t)self->page, vmsplice(ends[1], &iov, 1, 0));
	close(ends[0]);
	close(ends[1]);
}

/* sendfile() hands on the page cache's own pages: of shmem, the guest's. */
TEST_F(access_path, sendfile_of_the_file)
{
	int ends[2];

	ASSERT_EQ(0, pipe(ends));
	ASSERT_EQ((ssize_t)self->page, sendfile(ends[1], self->s.fd, NULL, self->page));
	EXPECT_EQ((ssize_t)self->page, read(ends[0], self->buffer, self->page));
	EXPECT_EQ(0, *(uint64_t *)self->buffer);
	close(ends[0]);
	close(ends[1]);
	self->fate = variant->flags == MAP_SHARED ? PVM_LOST : PVM_KEPT;
}

TEST_F(access_path, write_to_the_file)
{
	const uint64_t value = PVM_FOREIGN;

	EXPECT_EQ(sizeof(value), pwrite(self->s.fd, &value, sizeof(value), 0));
	if (variant->flags == MAP_SHARED) {
		EXPECT_EQ(value, READ_ONCE(*(uint64_t *)self->mem));
		EXPECT_EQ(0, READ_ONCE(((uint64_t *)self->mem)[1]));
		self->fate = PVM_LOST;
	}
}

TEST_F(access_path, socket)
{
	struct iovec iov = { self->mem, 64 };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	int ends[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
	EXPECT_EQ(-1, send(ends[0], self->mem, 64, MSG_DONTWAIT));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, sendmsg(ends[0], &message, MSG_DONTWAIT));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, recv(ends[1], self->buffer, 64, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);

	ASSERT_EQ(64, send(ends[0], self->buffer, 64, 0));
	EXPECT_EQ(-1, recv(ends[1], self->mem, 64, MSG_DONTWAIT));
	EXPECT_EQ(EFAULT, errno);
	close(ends[0]);
	close(ends[1]);
}

/* A new block device, its number and a descriptor for direct I/O; -1 if there is none to be had. */
static int open_disk(long *number)
{
	char path[64];

	*number = pvm_number("/sys/class/zram-control/hot_add");
	snprintf(path, sizeof(path), "/sys/block/zram%ld/disksize", *number);
	if (*number < 0 || pvm_write(path, DISK_SIZE))
		return -1;
	snprintf(path, sizeof(path), "/dev/zram%ld", *number);
	return open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
}

static int close_disk(int disk, long number)
{
	char text[16];

	close(disk);
	snprintf(text, sizeof(text), "%ld", number);
	return pvm_write("/sys/class/zram-control/hot_remove", text);
}

/* A block device that has no DMA: the processor copies, and compresses, what it is to write. */
TEST_F(access_path, direct_io_write)
{
	off_t at = 1 << 20;
	long number;
	int disk = open_disk(&number);

	ASSERT_LE(0, disk);
	ASSERT_EQ((ssize_t)self->page, pwrite(disk, self->buffer, self->page, at));
	EXPECT_EQ((ssize_t)self->page, pwrite(disk, self->mem, self->page, at));
	EXPECT_EQ((ssize_t)self->page, pread(disk, self->buffer, self->page, at));
	EXPECT_EQ(0, *(uint64_t *)self->buffer);
	EXPECT_EQ(0, close_disk(disk, number));
	self->fate = PVM_LOST;
}

TEST_F(access_path, direct_io_read)
{
	off_t at = 1 << 20;
	long number;
	int disk = open_disk(&number);

	ASSERT_LE(0, disk);
	ASSERT_EQ((ssize_t)self->page, pwrite(disk, self->buffer, self->page, at));
	EXPECT_EQ((ssize_t)self->page, pread(disk, self->mem, self->page, at));
	EXPECT_EQ(0x77, READ_ONCE(*self->mem));
	EXPECT_EQ(0, close_disk(disk, number));
	self->fate = PVM_LOST;
}

/* One request, by the rings and nothing else; its result. */
static int uring_once(int ring, const struct io_uring_params *p, const struct io_uring_sqe *sqe)
{
	size_t page = getpagesize();
	uint8_t *sq = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, ring,
			   IORING_OFF_SQ_RING);
	struct io_uring_sqe *sqes = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, ring,
					 IORING_OFF_SQES);
	struct io_uring_cqe *cqe;
	uint32_t *tail;
	int ret;

	if (sq == MAP_FAILED || sqes == MAP_FAILED)
		return -ENOMEM;
	sqes[0] = *sqe;
	((uint32_t *)(sq + p->sq_off.array))[0] = 0;
	tail = (uint32_t *)(sq + p->sq_off.tail);
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		return -errno;
	/* Both rings lie in one mapping, and this is the first entry that ever was. */
	cqe = (struct io_uring_cqe *)(sq + p->cq_off.cqes);
	ret = cqe->res;
	munmap(sq, page);
	munmap(sqes, page);
	return ret;
}

/* A fixed buffer is pinned once, and written by the kernel's mapping from then on. */
TEST_F(access_path, io_uring_fixed_buffer)
{
	struct io_uring_params params = {};
	struct iovec iov = { self->mem, self->page };
	int ring = syscall(SYS_io_uring_setup, 1, &params);
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_READ_FIXED,
		.addr = (uintptr_t)self->mem,
		.len = 64,
	};

	ASSERT_LE(0, ring);
	ASSERT_TRUE(params.features & IORING_FEAT_SINGLE_MMAP);
	sqe.fd = memfd_create("file", MFD_CLOEXEC);
	ASSERT_EQ(64, pwrite(sqe.fd, self->buffer, 64, 0));
	ASSERT_EQ(0, syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &iov, 1));
	EXPECT_EQ(64, uring_once(ring, &params, &sqe));
	EXPECT_EQ(0x77, READ_ONCE(self->mem[63]));
	EXPECT_EQ(0, READ_ONCE(self->mem[64]));
	close(sqe.fd);
	close(ring);
	self->fate = PVM_LOST;
}

TEST_F(access_path, io_uring_read)
{
	struct io_uring_params params = {};
	int ring = syscall(SYS_io_uring_setup, 1, &params);
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_READ,
		.addr = (uintptr_t)self->mem,
		.len = 64,
	};

	ASSERT_LE(0, ring);
	sqe.fd = memfd_create("file", MFD_CLOEXEC);
	ASSERT_EQ(64, pwrite(sqe.fd, self->buffer, 64, 0));
	EXPECT_EQ(-EFAULT, uring_once(ring, &params, &sqe));
	close(sqe.fd);
	close(ring);
}

static void die_with_core(int flags)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	struct pvm_secrets secrets;

	if (setrlimit(RLIMIT_CORE, &limit) || pvm_secrets_create(&secrets, flags, PAGES))
		_exit(1);
	signal(SIGABRT, SIG_DFL);
	abort();
}

/* The dump of a VMM has its memory in it, but none that is its guest's. */
TEST_F_TIMEOUT(access_path, core_dump, 60)
{
	size_t size = 0;
	int status, core;
	pid_t vmm;
	ssize_t n;

	ASSERT_EQ(0, pvm_write("/proc/sys/kernel/core_pattern", CORE));
	/* The VM of this test is not for the child. */
	ASSERT_EQ(0, madvise(self->mem, self->s.size, MADV_DONTFORK));
	ASSERT_EQ(0, madvise(self->s.vm.code, self->s.vm.code_size, MADV_DONTFORK));
	vmm = fork();
	ASSERT_LE(0, vmm);
	if (!vmm)
		die_with_core(variant->flags);
	ASSERT_EQ(vmm, waitpid(vmm, &status, 0));
	ASSERT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGABRT, WTERMSIG(status));
	EXPECT_TRUE(WCOREDUMP(status));

	core = open(CORE, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, core);
	while ((n = read(core, self->buffer, self->page)) > 0) {
		ASSERT_FALSE(pvm_secrets_in(self->buffer, n));
		size += n;
	}
	close(core);
	unlink(CORE);
	/* It was a whole dump: the memory of the guest was among it. */
	EXPECT_LE(self->s.size, size);
}

TEST_HARNESS_MAIN
