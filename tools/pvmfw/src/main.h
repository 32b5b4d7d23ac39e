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
 *
 * Called once, by entry.S, on the main stack with the first map live. Ends the
 * VM: by SYSTEM_OFF on success, else by SYSTEM_RESET.
 */
void fw_main(u64 fdt);

#endif
