/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What KUnit suites that make hypercalls to EL2 need to know, beyond the calls themselves.
 */
#ifndef __ARM64_KVM_PKVM_KUNIT_H__
#define __ARM64_KVM_PKVM_KUNIT_H__

#include <linux/types.h>

/**
 * pkvm_kunit_hyp_vm_size() - How much memory __pkvm_init_vm() takes for a VM's state.
 * @nr_vcpus:	vCPUs that the VM is created with.
 *
 * Return: bytes, a multiple of the page size.
 */
size_t pkvm_kunit_hyp_vm_size(unsigned int nr_vcpus);

/**
 * pkvm_kunit_hyp_vcpu_size() - How much memory __pkvm_init_vcpu() takes for a vCPU's state.
 *
 * Return: bytes, a multiple of the page size.
 */
size_t pkvm_kunit_hyp_vcpu_size(void);

/**
 * pkvm_kunit_sve_size() - How much memory __pkvm_init_vcpu() takes for the SVE state of a vCPU
 *	with the longest vectors.
 *
 * Return: bytes, a multiple of the page size; 0 if the machine has no SVE.
 */
size_t pkvm_kunit_sve_size(void);

#endif /* __ARM64_KVM_PKVM_KUNIT_H__ */
