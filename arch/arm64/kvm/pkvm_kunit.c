// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sizes of EL2's structures, for a KUnit suite that donates the memory for them itself. They are
 * known where KVM is built, and there alone.
 */
#include <kunit/visibility.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/overflow.h>

#include <asm/kvm_pkvm_kunit.h>

#include "hyp_constants.h"

size_t pkvm_kunit_hyp_vm_size(unsigned int nr_vcpus)
{
	return PAGE_ALIGN(size_add(PKVM_HYP_VM_SIZE, size_mul(sizeof(void *), nr_vcpus)));
}
EXPORT_SYMBOL_IF_KUNIT(pkvm_kunit_hyp_vm_size);

size_t pkvm_kunit_hyp_vcpu_size(void)
{
	return PAGE_ALIGN(PKVM_HYP_VCPU_SIZE);
}
EXPORT_SYMBOL_IF_KUNIT(pkvm_kunit_hyp_vcpu_size);

size_t pkvm_kunit_sve_size(void)
{
	return system_supports_sve() ? PAGE_ALIGN(SVE_SIG_REGS_SIZE(sve_vq_from_vl(kvm_sve_max_vl)))
				     : 0;
}
EXPORT_SYMBOL_IF_KUNIT(pkvm_kunit_sve_size);
