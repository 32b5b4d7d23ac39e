/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The end of the firmware, after success and after an error alike. Rule: when the kernel
 * starts, nothing that the firmware shared or guarded still is.
 */
#ifndef PVMFW_LEAVE_H
#define PVMFW_LEAVE_H

#include "firmware.h"
#include "status.h"

/**
 * leave() - Unguard and unshare everything, then enter the kernel or end the VM.
 * @fw: the firmware, in any state after guard_init() and uart_init()
 * @status: FW_OK, or the error for which the firmware gives up, already printed
 *
 * In this order: reset the disk, unguard the MMIO of PCI, unshare memory while the UART still
 * works, unguard the UART, clean the caches, turn the MMU off, enter the kernel. Continues
 * after an error, so that as little as possible stays shared, but enters the kernel only
 * if @status is FW_OK and every step succeeded. Without a kernel it calls SYSTEM_OFF, after
 * an error SYSTEM_RESET. Prints every error.
 *
 * Returns only if the hypervisor fails to end the VM.
 */
void leave(struct firmware *fw, enum fw_status status);

#endif
