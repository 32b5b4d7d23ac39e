// SPDX-License-Identifier: GPL-2.0-only
/*
 * windows_host COUNT SOCKET VMM OPTION...: run a VMM with the guest of window_init.c, plug COUNT
 * windows in and pull them out by its control socket, and exchange data with the guest through
 * each. A window is pulled out while the guest uses it, and the next one is there already. The
 * last one's file becomes shorter before that. The exit status is that of the VMM, or 1 after an
 * error. At the end it prints how many windows the guest has mapped as non-cacheable memory, and
 * how many pages of windows the host has shared with protected VMs.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "window.h"

#define COUNTERS	"/sys/kernel/debug/kvm/pkvm_stats"
#define FILE_NAME	"/tmp/window%u"
#define FILES		2
#define MIN_SHIFT	12
#define MAX_SHIFT	21
#define FILE_SIZE	0x200000UL
/* The guest may still have to boot. */
#define WAIT_SECONDS	150
#define LINE		512

static const char *socket_name;
static const char *vmm_name;
static FILE *control;
static pid_t vmm;
static struct window_header *files[FILES];
static unsigned int write_combined;

static void fail(const char *what, unsigned int number)
{
	printf("windows: window %u: %s\n", number, what);
	if (vmm)
		kill(vmm, SIGKILL);
	exit(1);
}

static void sleep_ms(unsigned int ms)
{
	const struct timespec time = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&time, NULL);
}

/* A counter of protected VMs; 0 if this host has none. */
static long read_counter(const char *name)
{
	char line[LINE], key[64];
	FILE *file = fopen(COUNTERS, "r");
	long value, found = 0;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63s %ld", key, &value) == 2 && !strcmp(key, name))
			found = value;
	}
	if (file)
		fclose(file);
	return found;
}

/* Sleep for a moment of what is waited for since @start, at most WAIT_SECONDS. */
static void wait_since(time_t start, const char *what, unsigned int number)
{
	int status;

	if (time(NULL) - start > WAIT_SECONDS)
		fail(what, number);
	if (waitpid(vmm, &status, WNOHANG) == vmm) {
		vmm = 0;
		fail("the VMM has ended", number);
	}
	sleep_ms(1);
}

static void connect_control(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const time_t start = time(NULL);
	int fd;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_name);
	for (;;) {
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
			break;
		close(fd);
		wait_since(start, "there is no control socket", 0);
	}
	control = fdopen(fd, "r+");
}

/* Send a request; the first line of its answer, if it has more than one, goes to @line. */
static void request(const char *text, char *line, unsigned int number)
{
	char next[LINE];

	fprintf(control, "%s\n", text);
	fflush(control);
	if (!fgets(line, LINE, control))
		fail("no answer", number);
	if (!strcmp(line, "ok\n"))
		return;
	if (!strncmp(line, "error", 5))
		fail(line, number);
	while (fgets(next, sizeof(next), control)) {
		if (!strcmp(next, "ok\n"))
			return;
		if (!strncmp(next, "error", 5))
			fail(next, number);
	}
	fail("half an answer", number);
}

static void make_files(void)
{
	char name[32];
	unsigned int i;
	int fd;

	for (i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), FILE_NAME, i);
		fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
		if (fd < 0 || ftruncate(fd, FILE_SIZE))
			fail(strerror(errno), i);
		files[i] = mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (files[i] == MAP_FAILED)
			fail(strerror(errno), i);
		close(fd);
	}
}

/* The first window is a large one. */
static uint64_t bytes_of(unsigned int number)
{
	return 1UL << (MAX_SHIFT - number % (MAX_SHIFT - MIN_SHIFT + 1));
}

/* How many pages of the host's memory @count windows have, at least. */
static long pages_of(unsigned int count)
{
	long pages = 0;
	unsigned int i;

	for (i = 0; i < count; i++)
		pages += (bytes_of(i) + sysconf(_SC_PAGESIZE) - 1) / sysconf(_SC_PAGESIZE);
	return pages;
}

/* Have the VMM's own client send a request: pull a window out. */
static void run_ctl(unsigned int number, unsigned int slot)
{
	char text[16];
	int status;
	pid_t pid;

	snprintf(text, sizeof(text), "%u", slot);
	pid = fork();
	if (!pid) {
		execl(vmm_name, vmm_name, "ctl", socket_name, "remove", text, NULL);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		fail("vmm ctl failed", number);
}

/* Plug a window in; returns its slot. */
static unsigned int plug(unsigned int number, enum window_state state)
{
	struct window_header *header = files[number % FILES];
	const uint64_t half = bytes_of(number) / sizeof(uint64_t) / 2;
	uint64_t *word = (uint64_t *)header, i;
	char text[LINE], line[LINE];
	unsigned int slot;

	memset(header, 0, FILE_SIZE);
	for (i = sizeof(*header) / sizeof(*word); i < half; i++)
		word[i] = window_word(number, i);
	header->number = number;
	header->bytes = bytes_of(number);
	header->state = state;
	window_write(&header->magic, WINDOW_MAGIC);
	snprintf(text, sizeof(text), "add " FILE_NAME " size=%luK", number % FILES,
		 (unsigned long)(bytes_of(number) / 1024));
	request(text, line, number);
	if (sscanf(line, "slot %u", &slot) != 1)
		fail("no slot", number);
	return slot;
}

/* Wait until the guest has answered, and check what it says. */
static void check(unsigned int number)
{
	struct window_header *header = files[number % FILES];
	const uint64_t words = bytes_of(number) / sizeof(uint64_t);
	const uint64_t *word = (const uint64_t *)header;
	const time_t start = time(NULL);
	uint64_t i;

	while (window_read(&header->state) == WINDOW_ASKED)
		wait_since(start, "the guest does not answer", number);
	if (window_read(&header->state) != WINDOW_ANSWERED)
		fail("the guest found wrong data", number);
	for (i = words / 2; i < words; i++) {
		if (window_read(&word[i]) != ~window_word(number, i))
			fail("the guest wrote wrong data", number);
	}
	write_combined += window_read(&header->write_combined);
}

/*
 * Make the file of a window shorter while the guest uses all of it. The guest does not end: it
 * reads all ones where nothing is any more, and uses the rest.
 */
static void shorten(unsigned int number)
{
	struct window_header *header = files[number % FILES];
	const uint64_t words = bytes_of(number) / sizeof(uint64_t);
	const time_t start = time(NULL);
	char name[32];
	uint64_t beats;

	while (window_read(&header->last) != ~window_word(number, words - 1))
		wait_since(start, "the guest does not use its end", number);
	snprintf(name, sizeof(name), FILE_NAME, number % FILES);
	if (truncate(name, bytes_of(number) / 2))
		fail(strerror(errno), number);
	while (window_read(&header->last) != UINT64_MAX)
		wait_since(start, "the guest still finds its end", number);
	beats = window_read(&header->beats);
	while (window_read(&header->beats) == beats)
		wait_since(start, "the guest does not use the rest", number);
}

/* Pull a window out while the guest uses it. When that is done, the guest cannot any more. */
static void pull(unsigned int number, unsigned int slot)
{
	struct window_header *header = files[number % FILES];
	uint64_t beats = window_read(&header->beats);
	const time_t start = time(NULL);

	while (window_read(&header->beats) == beats)
		wait_since(start, "the guest does not use it any more", number);
	run_ctl(number, slot);
	beats = window_read(&header->beats);
	sleep_ms(20);
	if (window_read(&header->beats) != beats)
		fail("the guest still uses it", number);
}

int main(int argc, char **argv)
{
	unsigned int count, number, slot, next;
	long shared, unshared;
	int status;

	if (argc < 5)
		return 2;
	count = atoi(argv[1]);
	socket_name = argv[2];
	setvbuf(stdout, NULL, _IOLBF, 0);
	vmm_name = argv[3];
	shared = read_counter("window_pages_shared");
	unshared = read_counter("window_pages_unshared");
	vmm = fork();
	if (!vmm) {
		execv(argv[3], argv + 3);
		_exit(127);
	}
	make_files();
	connect_control();
	slot = plug(0, WINDOW_ASKED);
	for (number = 0; number < count; number++) {
		check(number);
		if (number + 1 == count) {
			shorten(number);
			pull(number, slot);
			plug(count, WINDOW_END);
			break;
		}
		next = plug(number + 1, WINDOW_ASKED);
		pull(number, slot);
		slot = next;
	}
	if (waitpid(vmm, &status, 0) != vmm)
		return 1;
	shared = read_counter("window_pages_shared") - shared;
	unshared = read_counter("window_pages_unshared") - unshared;
	printf("windows: %u exchanged, %u non-cacheable, %ld pages shared, %ld unshared\n",
	       count, write_combined, shared, unshared);
	/* A protected guest accesses each page by itself, and none is left. */
	if (!strcmp(argv[4], "--protected") && (shared < pages_of(count) || shared != unshared))
		return 1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
