// SPDX-License-Identifier: GPL-2.0-only
/*
 * The init of vm.py's Linux guest: it counts CPUs and reads a line from the console. If there is a
 * disk, it checks what vm.py has put there, and writes to it. Then it powers off, or resets after
 * an error. Linux needs the interrupts of UART and disk, so this tests them too.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR		512
#define WRITTEN		0xc3
#define WRITE_AT	(8 * SECTOR)

static noreturn void end(int command)
{
	sync();
	reboot(command);
	_exit(1);
}

static void check(int right, const char *what)
{
	if (right)
		return;
	printf("linux: %s: %s\n", what, strerror(errno));
	end(RB_AUTOBOOT);
}

static void check_disk(int fd)
{
	uint8_t sector[SECTOR];
	unsigned int number;
	ssize_t length;

	for (number = 0; (length = read(fd, sector, SECTOR)) == SECTOR; number++)
		check(sector[0] == (uint8_t)(number + 1) && sector[SECTOR - 1] == sector[0],
		      "wrong data");
	check(!length, "read");
	memset(sector, WRITTEN, SECTOR);
	check(pwrite(fd, sector, SECTOR, WRITE_AT) == SECTOR && !fsync(fd), "write");
	printf("linux: %u sectors, written\n", number);
}

int main(void)
{
	char line[80];
	int fd;

	check(!mount("devtmpfs", "/dev", "devtmpfs", 0, NULL) || errno == EBUSY, "devtmpfs");
	puts("linux: ready");
	check(!!fgets(line, sizeof(line), stdin), "no input");
	printf("linux: %ld CPUs, read %s", sysconf(_SC_NPROCESSORS_ONLN), line);

	fd = open("/dev/vda", O_RDWR);
	check(fd >= 0 || errno == ENOENT, "disk");
	if (fd >= 0) {
		check_disk(fd);
		close(fd);
	}
	end(RB_POWER_OFF);
}
