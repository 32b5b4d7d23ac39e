// SPDX-License-Identifier: GPL-2.0-only
/*
 * The checks of kernel and initrd (boot.h).
 */
#include <string.h>

#include "boot.h"
#include "console.h"
#include "layout.h"

#define KERNEL_MAGIC	0x644d5241
/* A kernel lies text_offset bytes behind a multiple of this. */
#define KERNEL_ALIGN	0x200000

/* The header of an arm64 Image (Documentation/arch/arm64/booting.rst). */
struct kernel_header {
	u32 code[2];
	u64 text_offset;
	u64 image_size;
	u64 flags;
	u64 reserved[3];
	u32 magic;
	u32 pe_offset;
};

/* Compare two digests, in a time that does not depend on their values. */
static bool digests_equal(const u8 *a, const u8 *b)
{
	unsigned int i;
	u8 diff = 0;

	for (i = 0; i < SHA256_DIGEST_SIZE; i++)
		diff |= a[i] ^ b[i];
	return !diff;
}

static enum fw_status check_digest(const struct payload *image, const u8 *digest, const char *name)
{
	u8 found[SHA256_DIGEST_SIZE];
	struct sha256 sha;

	if (!image->size && !digest)
		return FW_OK;
	if (!digest)
		return pr_error(FW_ENODIGEST, "%s", name);
	if (!image->size)
		return pr_error(FW_ENOIMAGE, "%s", name);
	sha256_init(&sha);
	sha256_update(&sha, (const void *)(uintptr_t)image->base, image->size);
	sha256_final(&sha, found);
	if (!digests_equal(found, digest))
		return pr_error(FW_EDIGEST, "%s", name);
	return FW_OK;
}

/*
 * The digest proves the kernel's contents, but the host chose its place. A running kernel
 * needs more memory than its file has.
 */
static enum fw_status check_kernel(struct platform *p)
{
	const struct kernel_header *h = (const void *)(uintptr_t)p->kernel.base;
	const struct payload *k = &p->kernel;

	if (k->size < sizeof(*h) || h->magic != KERNEL_MAGIC || h->text_offset >= KERNEL_ALIGN ||
	    !is_aligned(k->base - h->text_offset, KERNEL_ALIGN) || h->image_size < k->size ||
	    !range_inside(k->base, h->image_size, RAM_BASE, p->ram_size))
		return pr_error(FW_EKERNEL, "kernel");
	if (p->initrd.size && range_overlaps(k->base, h->image_size, p->initrd.base,
					     p->initrd.size))
		return pr_error(FW_EOVERLAP, "kernel and initrd");
	if (p->swiotlb.base && range_overlaps(k->base, h->image_size, p->swiotlb.base,
					      p->swiotlb.size))
		return pr_error(FW_EOVERLAP, "kernel and DMA pool");
	if (platform_is_reserved(p, k->base, h->image_size))
		return pr_error(FW_EOVERLAP, "kernel and reserved memory");
	p->kernel_room = h->image_size;
	return FW_OK;
}

/* The end of the first part of memory in use that a range overlaps; 0 if there is none. */
static u64 find_taken(const struct platform *p, u64 base, u64 size)
{
	const struct payload taken[] = {
		{ p->kernel.base, p->kernel_room }, p->initrd, { p->swiotlb.base, p->swiotlb.size },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(taken); i++)
		if (taken[i].base && range_overlaps(base, size, taken[i].base, taken[i].size))
			return taken[i].base + taken[i].size;
	for (i = 0; i < p->reserved_count; i++)
		if (range_overlaps(base, size, p->reserved[i].base, p->reserved[i].size))
			return p->reserved[i].base + p->reserved[i].size;
	return 0;
}

enum fw_status boot_place_tree(const struct platform *p, u64 prefer, u64 size, u64 *base)
{
	u64 at = prefer, taken;

	if (!range_inside(at, size, RAM_BASE, p->ram_size) || find_taken(p, at, size)) {
		/* Terminates: find_taken() returns only higher addresses, and none beyond RAM. */
		for (at = RAM_BASE; (taken = find_taken(p, at, size)) != 0;)
			at = align_up(taken, PAGE_SIZE);
		if (!range_inside(at, size, RAM_BASE, p->ram_size))
			return FW_ENOMEM;
	}
	*base = at;
	return FW_OK;
}

enum fw_status boot_check(struct platform *p, const struct fw_config *config)
{
	enum fw_status status;

	status = check_digest(&p->kernel, config->kernel, "kernel");
	if (status == FW_OK)
		status = check_digest(&p->initrd, config->initrd, "initrd");
	if (status == FW_OK && p->kernel.size)
		status = check_kernel(p);
	return status;
}
