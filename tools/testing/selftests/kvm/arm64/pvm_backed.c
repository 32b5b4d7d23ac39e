// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protected VMs with memory that the test can access by a mapping and by a file. See pvm_backed.h.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pvm_backed.h"
#include "pvm_probe.h"

static int map_and_create(struct pvm_backed *backed, int flags)
{
	bool anonymous = flags & MAP_ANONYMOUS;
	void *mem;
	int err;

	if (backed->fd < 0 || ftruncate(backed->fd, backed->size))
		return -errno;
	mem = mmap(NULL, backed->size, PROT_READ | PROT_WRITE, flags, anonymous ? -1 : backed->fd,
		   0);
	if (mem == MAP_FAILED)
		return -errno;
	backed->mem = mem;

	err = pvm_create(&backed->vm, KVM_VM_TYPE_ARM_PROTECTED, 1, 0);
	if (err)
		return err;
	backed->vcpu = &backed->vm.vcpus[0];
	return pvm_set_slot(&backed->vm, PVM_DATA_SLOT, 0, PVM_DATA_IPA, backed->size,
			    backed->mem);
}

/**
 * pvm_backed_create() - Create a protected VM whose memory is a file's, or anonymous
 * @backed: set to the VM.
 * @fd: the file, which this function resizes, and which pvm_backed_free() closes; or -1 for a new
 *	memfd. With -1 and MAP_PRIVATE the memory is anonymous, and the memfd is not mapped.
 * @flags: MAP_SHARED or MAP_PRIVATE.
 * @nr_pages: the number of pages. They start at PVM_DATA_IPA, and none is donated yet.
 *
 * Any thread.
 *
 * Return: 0; or a negative errno, with nothing to free and @fd closed.
 */
int pvm_backed_create(struct pvm_backed *backed, int fd, int flags, unsigned int nr_pages)
{
	int err;

	memset(backed, 0, sizeof(*backed));
	backed->page = getpagesize();
	backed->nr_pages = nr_pages;
	backed->size = nr_pages * backed->page;
	backed->vm.fd = -1;
	backed->vm.kvm_fd = -1;
	backed->log = pvm_log_open();
	backed->forced = pvm_stat("pages_forced");
	backed->fd = fd;
	if (fd < 0) {
		backed->fd = memfd_create("memory", MFD_CLOEXEC);
		if (flags == MAP_PRIVATE)
			flags |= MAP_ANONYMOUS;
	}
	err = backed->log < 0 ? -EIO : map_and_create(backed, flags);
	if (err)
		pvm_backed_free(backed);
	return err;
}

/**
 * pvm_backed_free() - Kill the VM, unmap its memory, and close the file
 * @backed: the VM; may be dead already.
 *
 * No thread may run its vCPU.
 */
void pvm_backed_free(struct pvm_backed *backed)
{
	pvm_free(&backed->vm);
	if (backed->mem)
		munmap(backed->mem, backed->size);
	if (backed->fd >= 0)
		close(backed->fd);
	if (backed->log >= 0)
		close(backed->log);
}

/**
 * pvm_backed_forced() - Count the pages that the host reclaimed by force since VM creation
 * @backed: the VM.
 *
 * Any thread.
 *
 * Return: the number of pages, of all VMs of the host.
 */
long pvm_backed_forced(struct pvm_backed *backed)
{
	return pvm_stat("pages_forced") - backed->forced;
}
