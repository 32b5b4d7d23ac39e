/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where entry.S goes once C can run.
 */
#ifndef PVMFW_MAIN_H
#define PVMFW_MAIN_H

#include "types.h"

/**
 * fw_main() - Run the firmware.
 * @fdt: address of the device tree, as the VM was entered with
 * @enrolled: what MMIO_GUARD_ENROLL returned
 * @started: counter_read() at the first instruction
 *
 * Called once, by entry.S, on the main stack with the first map live. Enters the
 * kernel, or ends the VM: by SYSTEM_OFF if there is none to start, by
 * SYSTEM_RESET after an error.
 */
void fw_main(u64 fdt, u64 enrolled, u64 started);

#endif
