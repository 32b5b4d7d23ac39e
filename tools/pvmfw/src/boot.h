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
 * boot_check() - Check that the images are those of the configuration, and that the
 *	kernel has room where the host put it.
 * @p: the platform; its images are mapped, and nobody else writes to them. What room
 *	the kernel needs is filled in.
 * @config: the configuration
 *
 * An image without a digest is refused, and so is a digest without an image.
 * Prints what is wrong.
 *
 * Return: FW_OK, FW_ENODIGEST, FW_ENOIMAGE, FW_EDIGEST, FW_EKERNEL, or FW_EOVERLAP if
 * the kernel would run over the initrd, the DMA pool or reserved memory.
 */
enum fw_status boot_check(struct platform *p, const struct fw_config *config);

/**
 * boot_place_tree() - Find a place in RAM for the kernel's device tree: over nothing that
 *	the kernel needs or must not touch.
 * @p: the platform, after boot_check()
 * @prefer: the place to take if it is free: that of the host's tree
 * @size: bytes
 * @base: where the place goes, a multiple of PAGE_SIZE if @prefer is one
 *
 * Return: FW_OK, or FW_ENOMEM if there is no such place.
 */
enum fw_status boot_place_tree(const struct platform *p, u64 prefer, u64 size, u64 *base);

/**
 * fw_jump() - Enter a kernel; does not return.
 * @kernel: its first instruction
 * @fdt: the device tree
 *
 * All that the kernel reads is clean to the point of coherency.
 */
void fw_jump(u64 kernel, u64 fdt);

#endif
