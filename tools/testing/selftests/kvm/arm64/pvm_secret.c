// SPDX-License-Identifier: GPL-2.0-only
/*
 * A protected VM with secrets in its memory. See pvm_secret.h.
 */
#include <errno.h>
#include <linux/compiler.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pvm_probe.h"
#include "pvm_secret.h"

/**
 * pvm_secrets_create() - Make a protected VM whose guest fills its pages with secrets
 * @secrets: filled in.
 * @flags: MAP_PRIVATE for anonymous memory, MAP_SHARED for memory of a memfd.
 * @nr_pages: the number of pages, from PVM_DATA_IPA on.
 *
 * Any thread.
 *
 * Return: 0; or a negative errno, with nothing to free.
 */
int pvm_secrets_create(struct pvm_secrets *secrets, int flags, unsigned int nr_pages)
{
	bool anonymous = flags == MAP_PRIVATE;
	int err;

	memset(secrets, 0, sizeof(*secrets));
	secrets->page = getpagesize();
	secrets->nr_pages = nr_pages;
	secrets->size = nr_pages * secrets->page;
	secrets->vm.fd = -1;
	secrets->vm.kvm_fd = -1;
	secrets->log = pvm_log_open();
	secrets->forced = pvm_stat("pages_forced");
	secrets->fd = memfd_create("memory", MFD_CLOEXEC);
	if (secrets->log < 0 || secrets->fd < 0 || ftruncate(secrets->fd, secrets->size))
		return -errno;
	secrets->mem = mmap(NULL, secrets->size, PROT_READ | PROT_WRITE,
			    flags | (anonymous ? MAP_ANONYMOUS : 0), anonymous ? -1 : secrets->fd,
			    0);
	if (secrets->mem == MAP_FAILED)
		return -errno;

	err = pvm_create(&secrets->vm, KVM_VM_TYPE_ARM_PROTECTED, 1, 0);
	if (err)
		return err;
	secrets->vcpu = &secrets->vm.vcpus[0];
	err = pvm_set_slot(&secrets->vm, PVM_DATA_SLOT, 0, PVM_DATA_IPA, secrets->size,
			   secrets->mem);
	if (err)
		return err;
	return pvm_command(secrets->vcpu, PVM_FILL, PVM_DATA_IPA, PVM_SECRET,
			   secrets->size / sizeof(uint64_t), sizeof(uint64_t));
}

/**
 * pvm_secrets_forced() - Count the pages that the host reclaimed by force since VM creation
 * @secrets: the VM.
 *
 * Any thread.
 *
 * Return: the number of pages, of all VMs of the host.
 */
long pvm_secrets_forced(struct pvm_secrets *secrets)
{
	return pvm_stat("pages_forced") - secrets->forced;
}

/**
 * pvm_secrets_free() - Kill the VM, and free its memory
 * @secrets: the VM.
 *
 * No thread may run its vCPU.
 */
void pvm_secrets_free(struct pvm_secrets *secrets)
{
	pvm_free(&secrets->vm);
	munmap(secrets->mem, secrets->size);
	close(secrets->fd);
	close(secrets->log);
}

/**
 * pvm_secrets_in() - Search the host's memory for contents of a guest page
 * @memory: the memory, aligned to eight bytes.
 * @size: its size in bytes.
 *
 * A guest's page has only secrets. A single secret may be the test's own copy of the value. Any
 * thread.
 *
 * Return: whether the memory has several secrets in a row.
 */
bool pvm_secrets_in(const void *memory, size_t size)
{
	const uint64_t *words = memory;
	unsigned int in_a_row = 0;

	for (size_t i = 0; i < size / sizeof(*words); i++) {
		in_a_row = READ_ONCE(words[i]) == PVM_SECRET ? in_a_row + 1 : 0;
		if (in_a_row == 4)
			return true;
	}
	return false;
}

static int load(struct pvm_vcpu *vcpu, uint64_t ipa, uint64_t *value)
{
	int err = pvm_command_to_end(vcpu, PVM_LOAD, ipa, 0, 0, 0);

	*value = vcpu->results[0];
	return err;
}

/**
 * pvm_secrets_fate() - Have the guest check whether it still has a page
 * @secrets: the VM.
 * @page: the page's number.
 *
 * The guest reads the first and the last word. If the page is lost, that command never ends, and
 * the test cannot command the vCPU any more. One thread at a time may run a vCPU.
 *
 * Return: PVM_KEPT or PVM_LOST; in any other case PVM_BROKEN, after printing the reason.
 */
enum pvm_fate pvm_secrets_fate(struct pvm_secrets *secrets, unsigned int page)
{
	uint64_t ipa = PVM_DATA_IPA + page * secrets->page;
	uint64_t first = 0, last = 0;
	int err = load(secrets->vcpu, ipa, &first);

	if (err == -EFAULT) {
		/* The page stays lost: the same command fails again. */
		err = pvm_run(secrets->vcpu);
		if (err == -EFAULT)
			return PVM_LOST;
	} else if (!err) {
		err = load(secrets->vcpu, ipa + secrets->page - sizeof(last), &last);
	}
	if (!err && first == PVM_SECRET && last == PVM_SECRET)
		return PVM_KEPT;

	printf("# page %u: %s, %#lx, %#lx\n", page, strerror(-err), first, last);
	return PVM_BROKEN;
}
