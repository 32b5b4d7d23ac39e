/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checks kernel and initrd, and starts the kernel. Rule: the firmware starts only what the
 * configuration has a digest for.
 */
#ifndef PVMFW_BOOT_H
#define PVMFW_BOOT_H

#include "config.h"
#include "platform.h"
#include "status.h"
#include "types.h"

/**
 * boot_check() - Check that kernel and initrd have the digests of the configuration, and
 *	that the kernel has room where the host put it.
 * @p: the platform; its images are mapped. @p->kernel_room is set.
 * @config: the configuration
 *
 * Prints every error. The images of a protected VM lie in private memory, so the host cannot
 * change them after the check.
 *
 * Return: FW_OK; FW_ENODIGEST for an image without a digest; FW_ENOIMAGE for a digest without
 * an image; FW_EDIGEST if an image has another digest; FW_EKERNEL if the kernel is no arm64
 * Image, is misaligned or does not fit into RAM; FW_EOVERLAP if the memory that the kernel
 * needs overlaps the initrd, the DMA pool or reserved memory.
 */
enum fw_status boot_check(struct platform *p, const struct fw_config *config);

/**
 * boot_place_tree() - Find RAM for the kernel's device tree that overlaps neither kernel,
 *	initrd, DMA pool nor reserved memory.
 * @p: the platform, after boot_check()
 * @prefer: the address to use if possible: that of the host's tree
 * @size: bytes
 * @base: set to the address, a multiple of PAGE_SIZE if @prefer is one
 *
 * Return: FW_OK, or FW_ENOMEM if there is no such memory.
 */
enum fw_status boot_place_tree(const struct platform *p, u64 prefer, u64 size, u64 *base);

/**
 * fw_jump() - Enter a kernel; does not return.
 * @kernel: address of its first instruction
 * @fdt: address of the device tree
 *
 * All memory that the kernel reads with its MMU off is clean to the point of coherency.
 */
void fw_jump(u64 kernel, u64 fdt);

#endif
