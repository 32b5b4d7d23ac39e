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
 * pvm_secrets_create() - Make a VM that owns pages, each full of secrets
 * @secrets: gets the VM.
 * @flags: MAP_PRIVATE for anonymous memory, MAP_SHARED for memory of a memfd.
 * @nr_pages: how many; they start at PVM_DATA_IPA.
 *
 * Return: 0; or a negative errno, with nothing left to be freed.
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
 * pvm_secrets_forced() - How many pages did hosts take from guests by force?
 * @secrets: the VM.
 *
 * Return: their number since the VM was made.
 */
long pvm_secrets_forced(struct pvm_secrets *secrets)
{
	return pvm_stat("pages_forced") - secrets->forced;
}

/**
 * pvm_secrets_free() - Let the VM die, and its memory go
 * @secrets: the VM.
 */
void pvm_secrets_free(struct pvm_secrets *secrets)
{
	pvm_free(&secrets->vm);
	munmap(secrets->mem, secrets->size);
	close(secrets->fd);
	close(secrets->log);
}

/**
 * pvm_secrets_in() - Is there some of a guest's memory in the host's?
 * @memory: where to look, at addresses that are multiples of eight.
 * @size: how far, in bytes.
 *
 * A guest's page has nothing but secrets. One alone is the test's own, which it had the guest
 * store.
 *
 * Return: whether there are several secrets in a row.
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
 * pvm_secrets_fate() - What has become of a page?
 * @secrets: the VM.
 * @page: the page's number.
 *
 * Asks the guest, by its first and its last word. A guest whose page is lost stays where it missed
 * it: it cannot be asked again.
 *
 * Return: which of the two ends it took; PVM_BROKEN, with a line that says more, if none.
 */
enum pvm_fate pvm_secrets_fate(struct pvm_secrets *secrets, unsigned int page)
{
	uint64_t ipa = PVM_DATA_IPA + page * secrets->page;
	uint64_t first = 0, last = 0;
	int err = load(secrets->vcpu, ipa, &first);

	if (err == -EFAULT) {
		/* It stays so, and the command that failed is still under way. */
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
