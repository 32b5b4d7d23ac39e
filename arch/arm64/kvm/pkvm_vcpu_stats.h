/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What KVM's binary statistics show of a protected vCPU: part of kvm_vcpu_stats_desc[]
 * in guest.c. See struct pkvm_vcpu_stat.
 */
	PKVM_VCPU_COUNTER(pages_shared),
	PKVM_VCPU_COUNTER(pages_unshared),
	PKVM_VCPU_COUNTER(calls_info),
	PKVM_VCPU_COUNTER(calls_share),
	PKVM_VCPU_COUNTER(calls_unshare),
	PKVM_VCPU_COUNTER(calls_relinquish),
	PKVM_VCPU_COUNTER(calls_guard),
	PKVM_VCPU_COUNTER(calls_psci),
	PKVM_VCPU_COUNTER(calls_unknown),
	PKVM_VCPU_COUNTER(exits_interrupt),
	PKVM_VCPU_COUNTER(exits_wfx),
	PKVM_VCPU_COUNTER(exits_fault),
	PKVM_VCPU_COUNTER(exits_mmio),
	PKVM_VCPU_COUNTER(exits_page),
	PKVM_VCPU_COUNTER(exits_tables),
	PKVM_VCPU_COUNTER(exits_psci),
	PKVM_VCPU_COUNTER(exits_relinquish),
	PKVM_VCPU_COUNTER(exits_sgi),
