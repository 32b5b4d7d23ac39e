/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What KVM's binary statistics show of a protected VM: part of kvm_vm_stats_desc[]
 * in guest.c. See struct pkvm_vm_stat.
 */
	PKVM_VM_BYTES(bytes_private, INSTANT),
	PKVM_VM_BYTES(bytes_shared, INSTANT),
	PKVM_VM_BYTES(bytes_guarded, INSTANT),
	PKVM_VM_BYTES(bytes_window, INSTANT),
	PKVM_VM_BYTES(bytes_relinquished, CUMULATIVE),
