// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads images into guest memory (loader.h).
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader.h"
#include "log.h"

#define KERNEL_MAGIC	0x644d5241	/* "ARM\x64" */
#define GZIP_MAGIC_0	0x1f
#define GZIP_MAGIC_1	0x8b

/* Documentation/arch/arm64/booting.rst; all fields are little-endian. */
struct kernel_header {
	uint32_t code[2];
	uint64_t text_offset;
	uint64_t image_size;
	uint64_t flags;
	uint64_t reserved[3];
	uint32_t magic;
	uint32_t pe_header;
};

static int file_size(int fd, const char *what, const char *path, uint64_t *size)
{
	struct stat info;
	int err;

	if (fstat(fd, &info)) {
		err = -errno;
		log_err("%s %s: %s", what, path, strerror(-err));
		return err;
	}
	if (!S_ISREG(info.st_mode)) {
		log_err("%s %s: not a regular file", what, path);
		return -EINVAL;
	}
	if (!info.st_size) {
		log_err("%s %s: the file is empty", what, path);
		return -EINVAL;
	}
	*size = info.st_size;
	return 0;
}

int load_file(const struct guest_memory *memory, const char *what, const char *path,
	      uint64_t address, uint64_t limit, struct image *image)
{
	uint64_t size = 0;
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		err = -errno;
		log_err("%s %s: %s", what, path, strerror(-err));
		return err;
	}
	err = file_size(fd, what, path, &size);
	if (err)
		goto close;
	if (size > limit) {
		log_err("%s %s: file of %lu bytes, room for %lu", what, path, size, limit);
		err = -EFBIG;
		goto close;
	}
	err = guest_memory_file_read(memory, fd, 0, address, size);
	if (err) {
		log_err("%s %s: %s", what, path, strerror(-err));
		goto close;
	}
	image->address = address;
	image->size = size;
	image->footprint = size;
close:
	close(fd);
	return err;
}

/* Read the header; what a short file lacks is zero. */
static int read_header(const char *path, struct kernel_header *header)
{
	ssize_t length;
	int fd, err;

	memset(header, 0, sizeof(*header));
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		err = -errno;
		log_err("kernel %s: %s", path, strerror(-err));
		return err;
	}
	length = read(fd, header, sizeof(*header));
	err = length < 0 ? -errno : 0;
	if (err)
		log_err("kernel %s: %s", path, strerror(-err));
	close(fd);
	return err;
}

int load_kernel(const struct guest_memory *memory, const char *path, uint64_t address,
		uint64_t limit, struct image *image)
{
	struct kernel_header header;
	uint64_t offset, footprint;
	const uint8_t *bytes;
	int err;

	err = read_header(path, &header);
	if (err)
		return err;

	bytes = (const uint8_t *)&header;
	if (bytes[0] == GZIP_MAGIC_0 && bytes[1] == GZIP_MAGIC_1) {
		log_err("kernel %s: the file is compressed; an uncompressed Image is needed", path);
		return -EINVAL;
	}
	if (le32toh(header.magic) != KERNEL_MAGIC) {
		log_err("kernel %s: not an arm64 Image", path);
		return -EINVAL;
	}

	offset = le64toh(header.text_offset);
	footprint = le64toh(header.image_size);
	if (offset > limit || footprint > limit - offset) {
		log_err("kernel %s: needs %lu bytes at offset %#lx, more than the VM has",
			path, footprint, offset);
		return -EFBIG;
	}
	err = load_file(memory, "kernel", path, address + offset, limit - offset, image);
	if (!err && footprint > image->footprint)
		image->footprint = footprint;
	return err;
}
