// SPDX-License-Identifier: GPL-2.0-only
/*
 * Windows of VMs, for tests. See pvm_window.h.
 */
#include <errno.h>
#include <linux/compiler.h>
#include <stdio.h>
#include <unistd.h>

#include "pvm_probe.h"
#include "pvm_window.h"

/**
 * pvm_window_guard() - Have the guest guard a range
 * @vcpu: the vCPU that makes the calls.
 * @ipa: the start.
 * @size: the size in bytes.
 *
 * One thread at a time may run a vCPU.
 *
 * Return: as pvm_range().
 */
int64_t pvm_window_guard(struct pvm_vcpu *vcpu, uint64_t ipa, uint64_t size)
{
	return pvm_range(vcpu, HVC_RGUARD_MAP, ipa, size / getpagesize());
}

/**
 * pvm_window_add() - Add or move a window
 * @vm: the VM.
 * @window: its number; it has the slot PVM_FREE_SLOT + @window.
 * @ipa: the IPA of its start.
 * @size: its size in bytes.
 * @mem: the memory behind it.
 *
 * Any thread.
 *
 * Return: 0 or a negative errno.
 */
int pvm_window_add(struct pvm *vm, unsigned int window, uint64_t ipa, uint64_t size, void *mem)
{
	return pvm_set_slot(vm, PVM_FREE_SLOT + window, KVM_MEM_ARM_STANDALONE, ipa, size, mem);
}

/**
 * pvm_window_del() - Delete a window
 * @vm: the VM.
 * @window: its number.
 *
 * Any thread.
 *
 * Return: 0 or a negative errno.
 */
int pvm_window_del(struct pvm *vm, unsigned int window)
{
	return pvm_set_slot(vm, PVM_FREE_SLOT + window, 0, 0, 0, NULL);
}

/**
 * pvm_window_word() - Find the word of a page that tests use
 * @mem: the memory of a window.
 * @page: the number of the page.
 *
 * Any thread.
 *
 * Return: the first word of the page.
 */
uint64_t *pvm_window_word(uint8_t *mem, unsigned int page)
{
	return (uint64_t *)(mem + (size_t)page * getpagesize());
}

/**
 * pvm_window_pattern() - Get the value that pvm_window_fill() writes to a page
 * @page: the number of the page.
 *
 * Any thread.
 *
 * Return: the value, which is not 0.
 */
uint64_t pvm_window_pattern(unsigned int page)
{
	return 0x9e3779b97f4a7c15UL * (page + 1);
}

/**
 * pvm_window_fill() - Write to the memory of a window as the host
 * @mem: the memory.
 * @nr: the number of pages, each of which gets a value of its own.
 *
 * Any thread.
 */
void pvm_window_fill(uint8_t *mem, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		WRITE_ONCE(*pvm_window_word(mem, i), pvm_window_pattern(i));
}

/**
 * pvm_window_check() - Have the guest read what pvm_window_fill() has written
 * @vcpu: the vCPU that reads.
 * @ipa: the IPA of the first page.
 * @nr: the number of pages.
 *
 * One thread at a time may run a vCPU.
 *
 * Return: 0; -EBADMSG for another value; else the error of pvm_load().
 */
int pvm_window_check(struct pvm_vcpu *vcpu, uint64_t ipa, unsigned int nr)
{
	uint64_t value;
	int err;

	for (unsigned int i = 0; i < nr; i++) {
		err = pvm_load(vcpu, ipa + (uint64_t)i * getpagesize(), &value);
		if (!err && value != pvm_window_pattern(i))
			err = -EBADMSG;
		if (err) {
			printf("# page %u of the window: error %d\n", i, err);
			return err;
		}
	}
	return 0;
}

/**
 * pvm_window_pages() - Count the pages in the windows of a protected VM
 * @vm: the VM.
 *
 * Any thread.
 *
 * Return: how many pages the host shares there now, by EL2's count.
 */
long pvm_window_pages(struct pvm *vm)
{
	return pvm_kvm_stat(vm->fd, "protected_bytes_window") / getpagesize();
}

/**
 * pvm_window_held() - Count the pages that the host shares with all VMs
 *
 * Any thread.
 *
 * Return: the number by KVM's counts, with those that guests have returned by MMIO_GUARD_UNMAP.
 */
long pvm_window_held(void)
{
	return pvm_stat("window_pages_shared") - pvm_stat("window_pages_unshared") +
	       pvm_stat("np_pages_shared") - pvm_stat("np_pages_unshared");
}

/**
 * pvm_window_returned() - Check that the host has memory for itself
 * @mem: the memory, which is a new VM's for a moment.
 * @size: its size in bytes.
 *
 * No protected guest can own a page as long as EL2 counts a share of it. Any thread.
 *
 * Return: 0, or the error of the first page that the new VM cannot own.
 */
int pvm_window_returned(uint8_t *mem, size_t size)
{
	struct pvm vm;
	int err = pvm_create(&vm, KVM_VM_TYPE_ARM_PROTECTED, 1, 0);

	if (err)
		return err;
	err = pvm_set_slot(&vm, PVM_DATA_SLOT, 0, PVM_DATA_IPA, size, mem);
	for (size_t at = 0; at < size && !err; at += getpagesize())
		err = pvm_store(&vm.vcpus[0], PVM_DATA_IPA + at, 1);
	pvm_free(&vm);
	return err;
}
