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
int pvm_secrets_create(struct pvm_backed *secrets, int flags, unsigned int nr_pages)
{
	int err = pvm_backed_create(secrets, -1, flags, nr_pages);

	if (err)
		return err;
	err = pvm_command(secrets->vcpu, PVM_FILL, PVM_DATA_IPA, PVM_SECRET,
			  secrets->size / sizeof(uint64_t), sizeof(uint64_t));
	if (err)
		pvm_backed_free(secrets);
	return err;
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
enum pvm_fate pvm_secrets_fate(struct pvm_backed *secrets, unsigned int page)
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
