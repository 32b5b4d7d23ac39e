// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls by which the kernel would use a private page through its own mapping or pin it: the
 * access paths that pkvm_private_access does not test.
 *
 * R9: each call fails, the guest keeps its page, and the host reclaims no page by force. R5: the
 * kernel logs no warning, and no call hangs (each test has the harness's time limit). pkvm_pins
 * tests pages to which the host already has references.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/compiler.h>
#include <linux/futex.h>
#include <linux/mman.h>
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
#include "pvm_io.h"
#include "pvm_probe.h"
#include "pvm_secret.h"

#define PAGES		4
#define CORE		"/tmp/pkvm.core"
/* The duration of the race of MEM_SHARE and MEM_UNSHARE with system calls that read the page. */
#define RACE_SECONDS	10

FIXTURE(access_path) {
	struct pvm_backed s;
	uint8_t *mem;
	size_t page;
	uint8_t *buffer;
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

/* The guest still has all pages with their contents. */
FIXTURE_TEARDOWN(access_path)
{
	for (unsigned int i = 0; i < PAGES; i++)
		EXPECT_EQ(PVM_KEPT, pvm_secrets_fate(&self->s, i));
	EXPECT_FALSE(pvm_secrets_in(self->buffer, self->page));
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem, PVM_READ));
	EXPECT_EQ(0, pvm_backed_forced(&self->s));
	EXPECT_FALSE(pvm_log_complains(self->s.log));
	pvm_backed_free(&self->s);
	free(self->buffer);
}

TEST_F(access_path, process_vm_readv)
{
	struct iovec local = { self->buffer, 64 }, remote = { self->mem, 64 };

	EXPECT_EQ(-1, process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
	EXPECT_EQ(EFAULT, errno);
}

TEST_F(access_path, process_vm_writev)
{
	struct iovec local = { self->buffer, 64 }, remote = { self->mem, 64 };

	EXPECT_EQ(-1, process_vm_writev(getpid(), &local, 1, &remote, 1, 0));
	EXPECT_EQ(EFAULT, errno);
}

/* The system call reads the pages before the first private one. */
TEST_F(access_path, process_vm_readv_in_part)
{
	struct iovec local = { self->buffer, self->page };
	struct iovec remote = { self->mem + self->page / 2, self->page };

	ASSERT_EQ(HVC_SUCCESS, pvm_share(self->s.vcpu, PVM_DATA_IPA));
	EXPECT_EQ((ssize_t)self->page / 2,
		  process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
	EXPECT_TRUE(pvm_secrets_in(self->buffer, self->page / 2));
	memset(self->buffer, 0, self->page);
	ASSERT_EQ(HVC_SUCCESS, pvm_unshare(self->s.vcpu, PVM_DATA_IPA));
}

TEST_F(access_path, proc_mem)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, pread(fd, self->buffer, 64, (uintptr_t)self->mem));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(-1, pwrite(fd, self->buffer, 64, (uintptr_t)self->mem));
	EXPECT_EQ(EIO, errno);
	close(fd);
}

/* The private page is the local buffer here, so the kernel's copy to user space fails. */
TEST_F(access_path, process_vm_readv_into)
{
	struct iovec local = { self->mem, 64 }, remote = { self->buffer, 64 };

	EXPECT_EQ(-1, process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
	EXPECT_EQ(EFAULT, errno);
}

/*
 * write() checks that it can read the user's page, and then copies with page faults disabled. If
 * the guest unshares the page in between, write() fails and the guest keeps the page.
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

TEST_F_TIMEOUT(access_path, write_races_unshare, 60)
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
}

/* A debugger process. It starts before the VM, since fork() is another access path. */
FIXTURE(debugged) {
	struct pvm_backed s;
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
	pvm_backed_free(&self->s);
}

TEST_F(debugged, peek_and_poke)
{
	long word = PVM_SECRET;

	ASSERT_EQ(sizeof(self->s.mem), write(self->to[1], &self->s.mem, sizeof(self->s.mem)));
	ASSERT_EQ(sizeof(word), read(self->from[0], &word, sizeof(word)));
	EXPECT_EQ(-EIO, word);
	EXPECT_EQ(PVM_KEPT, pvm_secrets_fate(&self->s, 1));
	EXPECT_EQ(PVM_KEPT, pvm_secrets_fate(&self->s, 0));
}

/* vmsplice() would put the page itself into the pipe. */
TEST_F(access_path, vmsplice)
{
	int ends[2];

	EXPECT_EQ(-EFAULT, pvm_pipe_page(ends, self->mem, self->page));
	EXPECT_EQ(-1, vmsplice(ends[1], &(struct iovec) { self->mem, 64 }, 1, SPLICE_F_GIFT));
	EXPECT_EQ(EFAULT, errno);
	close(ends[0]);
	close(ends[1]);
}

/* sendfile() would use pages of the page cache, which for shmem are the guest's pages. */
TEST_F(access_path, sendfile_of_the_file)
{
	bool shmem = variant->flags == MAP_SHARED;
	int ends[2];

	ASSERT_EQ(0, pipe(ends));
	EXPECT_EQ(shmem ? -1 : (ssize_t)self->page,
		  sendfile(ends[1], self->s.fd, NULL, self->page));
	if (shmem)
		EXPECT_EQ(EFAULT, errno);
	close(ends[0]);
	close(ends[1]);
}

TEST_F(access_path, read_and_write_of_the_file)
{
	bool shmem = variant->flags == MAP_SHARED;
	const uint64_t value = PVM_FOREIGN;
	uint64_t found;

	EXPECT_EQ(shmem ? -1 : (ssize_t)sizeof(found),
		  pread(self->s.fd, &found, sizeof(found), 0));
	if (shmem)
		EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(shmem ? -1 : (ssize_t)sizeof(value),
		  pwrite(self->s.fd, &value, sizeof(value), 0));
	if (shmem)
		EXPECT_EQ(EFAULT, errno);
}

/* A write to a private mapping of the file copies zeroes, not the page. */
TEST_F(access_path, copy_on_write_of_the_file)
{
	uint64_t *copy = mmap(NULL, self->page, PROT_READ | PROT_WRITE, MAP_PRIVATE, self->s.fd,
			      0);

	ASSERT_NE(MAP_FAILED, copy);
	EXPECT_EQ(0, pvm_probe(&copy[1], PVM_WRITE));
	EXPECT_FALSE(pvm_secrets_in(copy, self->page));
	EXPECT_EQ(0, copy[0]);
	munmap(copy, self->page);
}

/* The child reads zeroes where its parent's memory is private. */
TEST_F(access_path, fork)
{
	bool shmem = variant->flags == MAP_SHARED;
	int status;
	pid_t child;

	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		if (pvm_probe(self->mem, PVM_READ) != (shmem ? SEGV_ACCERR : 0))
			_exit(1);
		_exit(!shmem && (pvm_secrets_in(self->mem, self->s.size) ||
				 *(uint64_t *)self->mem));
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

/* A futex call finds the page mapped but not accessible. It must fail, not loop. */
TEST_F(access_path, futex)
{
	uint32_t other = 0;

	for (int i = 0; i < 20; i++) {
		EXPECT_EQ(-1, syscall(SYS_futex, self->mem, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
		EXPECT_EQ(EFAULT, errno);
		EXPECT_EQ(-1, syscall(SYS_futex, &other, FUTEX_WAKE_OP, 1, 1UL, self->mem,
				      FUTEX_OP(FUTEX_OP_SET, 7, FUTEX_OP_CMP_EQ, 0)));
		EXPECT_EQ(EFAULT, errno);
		EXPECT_EQ(-1, syscall(SYS_futex, self->mem, FUTEX_WAIT, 0, NULL, NULL, 0));
		EXPECT_EQ(EFAULT, errno);
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

/* The kernel pins a buffer for direct I/O with a block device. */
TEST_F(access_path, direct_io)
{
	struct pvm_disk disk;
	off_t at = 1 << 20;

	if (pvm_disk_open(&disk))
		SKIP(return, "needs CONFIG_ZRAM");
	ASSERT_EQ((ssize_t)self->page, pwrite(disk.fd, self->buffer, self->page, at));
	EXPECT_EQ(-1, pwrite(disk.fd, self->mem, self->page, at));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, pread(disk.fd, self->mem, self->page, at));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ((ssize_t)self->page, pread(disk.fd, self->buffer, self->page, at));
	EXPECT_EQ(0x77, self->buffer[0]);
	EXPECT_EQ(0, pvm_disk_close(&disk));
}

TEST_F(access_path, aio)
{
	struct iocb request = {
		.aio_lio_opcode = IOCB_CMD_PREAD,
		.aio_buf = (uintptr_t)self->mem,
		.aio_nbytes = self->page,
	}, *requests = &request;
	struct io_event event = {};
	struct pvm_disk disk;
	aio_context_t context = 0;
	long ret;

	if (syscall(SYS_io_setup, 1, &context))
		SKIP(return, "needs CONFIG_AIO");
	if (pvm_disk_open(&disk))
		SKIP(return, "needs CONFIG_ZRAM");
	request.aio_fildes = disk.fd;
	ret = syscall(SYS_io_submit, context, 1, &requests);
	if (ret == 1) {
		ASSERT_EQ(1, syscall(SYS_io_getevents, context, 1, 1, &event, NULL));
		EXPECT_EQ(-EFAULT, event.res);
	} else {
		EXPECT_EQ(-1, ret);
		EXPECT_EQ(EFAULT, errno);
	}
	syscall(SYS_io_destroy, context);
	EXPECT_EQ(0, pvm_disk_close(&disk));
}

TEST_F(access_path, io_uring)
{
	struct pvm_ring ring;
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_READ,
		.addr = (uintptr_t)self->mem,
		.len = 64,
	};

	if (pvm_ring_open(&ring))
		SKIP(return, "needs CONFIG_IO_URING");
	sqe.fd = memfd_create("file", MFD_CLOEXEC);
	ASSERT_EQ(64, pwrite(sqe.fd, self->buffer, 64, 0));
	EXPECT_EQ(-EFAULT, pvm_ring_submit(&ring, &sqe));
	EXPECT_EQ(-EFAULT, pvm_ring_register(&ring, self->mem, self->page));
	EXPECT_EQ(-EFAULT, pvm_ring_register(&ring, self->mem, self->s.size));
	close(sqe.fd);
	pvm_ring_close(&ring);
}

/* MADV_HWPOISON injects a memory error, and must fail for the guest's page. */
TEST_F(access_path, poison)
{
	errno = 0;
	if (!madvise(self->buffer, self->page, MADV_SOFT_OFFLINE) || errno != EINVAL) {
		EXPECT_EQ(-1, madvise(self->mem, self->page, MADV_HWPOISON));
		EXPECT_EQ(EFAULT, errno);
		EXPECT_EQ(-1, madvise(self->mem, self->page, MADV_SOFT_OFFLINE));
		EXPECT_EQ(EFAULT, errno);
	} else {
		SKIP(return, "needs CONFIG_MEMORY_FAILURE");
	}
}

/* move_pages() would move the page to another NUMA node. */
TEST_F(access_path, move_pages)
{
	void *pages[] = { self->mem };
	int nodes[] = { 0 }, status[] = { -1 };

	if (syscall(SYS_move_pages, 0, 1, pages, nodes, status, 0) < 0)
		SKIP(return, "needs CONFIG_NUMA");
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem, PVM_READ));
}

static void die_with_core(int flags)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	struct pvm_backed secrets;

	if (setrlimit(RLIMIT_CORE, &limit) || pvm_secrets_create(&secrets, flags, PAGES))
		_exit(1);
	signal(SIGABRT, SIG_DFL);
	abort();
}

/* The core dump of a VMM has the VMM's memory, but no private page of its guest. */
TEST_F_TIMEOUT(access_path, core_dump, 60)
{
	size_t size = 0;
	int status, core;
	pid_t vmm;
	ssize_t n;

	ASSERT_EQ(0, pvm_write("/proc/sys/kernel/core_pattern", CORE));
	/* The child gets no copy of the memory of this test's VM. */
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
	/* The dump is complete: it has room for the guest's memory. */
	EXPECT_LE(self->s.size, size);
}

TEST_HARNESS_MAIN
