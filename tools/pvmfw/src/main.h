/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The C entry point of the firmware, which entry.S calls.
 */
#ifndef PVMFW_MAIN_H
#define PVMFW_MAIN_H

#include "types.h"

/**
 * fw_main() - Run the firmware.
 * @fdt: address of the device tree: x0 at entry
 * @enrolled: what MMIO_GUARD_ENROLL returned; SMCCC_NOT_SUPPORTED if it was not called
 * @started: counter_read() at the first instruction
 *
 * Called once, by entry.S, on the main stack with entry.S's static map live. Enters the
 * kernel, or ends the VM: by SYSTEM_OFF if there is no kernel, by SYSTEM_RESET after an
 * error. Never returns.
 */
void fw_main(u64 fdt, u64 enrolled, u64 started);

#endif
