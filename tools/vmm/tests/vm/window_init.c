// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program of a Linux guest with windows. For each window that it finds it starts a process
 * that maps the window through sysfs, checks the host's data, answers them, and uses the window
 * until it is gone. Neither has a driver or asks the bus to be scanned: the kernel has to notice
 * by itself what comes and goes. The host (windows_host.c) says when there are no more windows.
 *
 * Of vm.py's guest this is the init, which then powers off; in the guest of make run it is a
 * command of the shell.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "window.h"

#define DEVICES		"/sys/bus/pci/devices"
#define VENDOR_DEVICE	0x11101af4
#define MAX_USERS	16
#define NAME_LENGTH	256
#define LOOK_US		5000

/* How the program for a window ends. */
enum { GONE, LAST = 10, FAILED };

static struct {
	pid_t pid;
	char name[NAME_LENGTH];
} users[MAX_USERS];

static sigjmp_buf gone;

static void on_fault(int signal)
{
	(void)signal;
	siglongjmp(gone, 1);
}

static noreturn void end(bool right)
{
	fflush(stdout);
	if (getpid() == 1)
		reboot(right ? RB_POWER_OFF : RB_AUTOBOOT);
	_exit(!right);
}

static int open_file(const char *name, const char *file, int flags)
{
	char path[NAME_LENGTH + 64];

	snprintf(path, sizeof(path), DEVICES "/%s/%s", name, file);
	return open(path, flags | O_CLOEXEC);
}

static int is_window(const char *name)
{
	uint32_t id = 0;
	int fd = open_file(name, "config", O_RDONLY);

	if (fd < 0)
		return 0;
	if (read(fd, &id, sizeof(id)) != sizeof(id))
		id = 0;
	close(fd);
	return id == VENDOR_DEVICE;
}

static int answer(struct window_header *header)
{
	const uint64_t words = window_read(&header->bytes) / sizeof(uint64_t), half = words / 2;
	const uint64_t first = sizeof(*header) / sizeof(uint64_t);
	const uint64_t number = window_read(&header->number);
	uint64_t *word = (uint64_t *)header;
	uint64_t found, i;

	for (i = first; i < half; i++) {
		found = window_read(&word[i]);
		if (found != window_word(number, i)) {
			printf("windows: word %lu of window %lu is %#lx\n", (unsigned long)i,
			       (unsigned long)number, (unsigned long)found);
			return WINDOW_WRONG;
		}
	}
	for (i = half; i < words; i++)
		window_write(&word[i], ~window_word(number, i));
	return WINDOW_ANSWERED;
}

static struct window_header *map_file(const char *name, const char *file, size_t size)
{
	int fd = open_file(name, file, O_RDWR);

	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

/* What the program for a window does: its exit status. */
static int use(const char *name)
{
	struct window_header *header;
	struct stat info;
	uint64_t *last, value;
	int fd, enable;

	/* Linux makes this file last. A function that is enabled before has no address yet. */
	fd = open_file(name, "resource2", O_RDWR);
	if (fd < 0 || fstat(fd, &info))
		return GONE;
	enable = open_file(name, "enable", O_WRONLY);
	if (enable < 0 || write(enable, "1", 1) != 1)
		return GONE;
	header = map_file(name, "resource2", info.st_size);
	if (header == MAP_FAILED)
		return GONE;
	if (sigsetjmp(gone, 1))
		return GONE;
	signal(SIGBUS, on_fault);
	signal(SIGSEGV, on_fault);
	/* A window that has gone again reads as all ones. */
	if (window_read(&header->magic) != WINDOW_MAGIC)
		return GONE;
	if (window_read(&header->state) == WINDOW_END)
		return LAST;
	if (window_read(&header->bytes) != (uint64_t)info.st_size) {
		printf("windows: the BAR has %ld bytes\n", (long)info.st_size);
		return FAILED;
	}
	if (window_read(&header->number) % 2) {
		munmap(header, info.st_size);
		header = map_file(name, "resource2_wc", info.st_size);
		if (header == MAP_FAILED)
			return GONE;
		window_write(&header->write_combined, 1);
	}
	window_write(&header->state, answer(header));
	last = (uint64_t *)header + info.st_size / sizeof(*last) - 1;
	value = window_read(last);
	while (window_read(&header->magic) == WINDOW_MAGIC) {
		/* There may be no memory there any more: then the value is lost. */
		window_write(last, value);
		window_write(&header->last, window_read(last));
		window_write(&header->beats, window_read(&header->beats) + 1);
	}
	return GONE;
}

static int find_user(const char *name)
{
	int i, free = -1;

	for (i = 0; i < MAX_USERS; i++) {
		if (users[i].pid && !strcmp(users[i].name, name))
			return -1;
		if (!users[i].pid)
			free = i;
	}
	return free;
}

static void look(void)
{
	DIR *folder = opendir(DEVICES);
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		int user;

		if (entry->d_name[0] == '.' || !is_window(entry->d_name))
			continue;
		user = find_user(entry->d_name);
		if (user < 0)
			continue;
		snprintf(users[user].name, NAME_LENGTH, "%s", entry->d_name);
		fflush(stdout);
		users[user].pid = fork();
		if (!users[user].pid) {
			int status = use(entry->d_name);

			fflush(stdout);
			_exit(status);
		}
	}
	if (folder)
		closedir(folder);
}

int main(void)
{
	int status, i;
	pid_t pid;

	mkdir("/sys", 0755);
	if (getpid() == 1 && mount("sysfs", "/sys", "sysfs", 0, NULL)) {
		printf("windows: sysfs: %s\n", strerror(errno));
		end(false);
	}
	puts("windows: the guest looks for windows");
	for (;;) {
		look();
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
			if (WIFEXITED(status) && WEXITSTATUS(status) == LAST)
				end(true);
			if (!WIFEXITED(status) || WEXITSTATUS(status) != GONE) {
				printf("windows: a program ended with %#x\n", status);
				end(false);
			}
			for (i = 0; i < MAX_USERS; i++) {
				if (users[i].pid == pid)
					users[i].pid = 0;
			}
		}
		usleep(LOOK_US);
	}
}
