/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the firmware ends, after success as after an error.
 */
#ifndef PVMFW_LEAVE_H
#define PVMFW_LEAVE_H

#include "firmware.h"
#include "status.h"

/**
 * leave() - Take everything back from the host, then enter the kernel or end the VM.
 * @fw: the firmware, as far as it has come: the guard is made and the UART speaks
 * @status: FW_OK, or why it has given up; that was told
 *
 * In this order: devices reset, their MMIO unguarded, shared memory unshared while
 * the UART still works, the UART unguarded, caches cleaned, MMU off, jump. Goes on
 * after an error, so that as little as possible stays the host's, but then enters
 * nothing: the kernel is entered only if @status is FW_OK and all of that was done.
 * Without a kernel it is SYSTEM_OFF, after an error SYSTEM_RESET. Prints what is
 * wrong.
 *
 * Comes back only if the hypervisor fails to end the VM.
 */
void leave(struct firmware *fw, enum fw_status status);

#endif
