/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel and its initrd: what may be started, and starting it.
 */
#ifndef PVMFW_BOOT_H
#define PVMFW_BOOT_H

#include "config.h"
#include "platform.h"
#include "status.h"
#include "types.h"

/**
 * boot_check() - Check that the images are those of the configuration.
 * @p: the platform; its images are mapped, and nobody else writes to them
 * @config: the configuration
 *
 * An image without a digest is refused, and so is a digest without an image.
 * Prints what is wrong.
 *
 * Return: FW_OK, FW_ENODIGEST, FW_ENOIMAGE, FW_EDIGEST or FW_EKERNEL.
 */
enum fw_status boot_check(const struct platform *p, const struct fw_config *config);

/**
 * fw_jump() - Enter a kernel; does not return.
 * @kernel: its first instruction
 * @fdt: the device tree
 *
 * All that the kernel reads is clean to the point of coherency.
 */
void fw_jump(u64 kernel, u64 fdt);

#endif
