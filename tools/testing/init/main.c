// SPDX-License-Identifier: GPL-2.0-only
/*
 * The init of the host's test root: mounts file systems, runs the jobs of /etc/jobs one after the
 * other, reports on the console and powers off.
 *
 * Each line of /etc/jobs is a command: a program of the root or a builtin (jobs.c, builtins.c).
 * Empty lines and lines that start with # are skipped. For the scripts that read the console, init
 * prints
 *
 *	@@ start <n> <command line>
 *	@@ limit <n> <seconds>		if the job was killed at its limit
 *	@@ exit <n> <status>
 *	@@ done <number of jobs with a status other than 0>
 *
 * A host that ends without "@@ done" has crashed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init.h"

static const struct {
	const char *type;
	const char *target;
} mounts[] = {
	{ "devtmpfs", "/dev" },
	{ "proc", "/proc" },
	{ "sysfs", "/sys" },
	{ "debugfs", "/sys/kernel/debug" },
	{ "tmpfs", "/tmp" },
};

static int mount_all(void)
{
	int failures = 0;

	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		const char *type = mounts[i].type, *target = mounts[i].target;

		if (mkdir(target, 0755) && errno != EEXIST) {
			printf("init: cannot make %s: %s\n", target, strerror(errno));
			failures++;
		} else if (mount(type, target, type, 0, NULL)) {
			printf("init: cannot mount %s on %s: %s\n", type, target, strerror(errno));
			failures++;
		}
	}
	return failures;
}

static bool run_line(unsigned int n, char *line)
{
	bool timed_out;
	struct job job;
	int status;

	printf("@@ start %u %s\n", n, line);
	if (job_parse(line, &job)) {
		printf("init: this line is not a valid job\n");
		status = 2;
	} else {
		status = job_run(&job, &timed_out);
		if (timed_out)
			printf("\n@@ limit %u %u\n", n, job.limit);
	}
	printf("\n@@ exit %u %d\n", n, status);
	return status == 0;
}

static int run_jobs(const char *path)
{
	FILE *jobs = fopen(path, "re");
	unsigned int n = 0, failures = 0;
	char *line = NULL;
	size_t size = 0;
	ssize_t length;

	if (!jobs) {
		printf("init: no jobs: %s: %s\n", path, strerror(errno));
		return errno != ENOENT;
	}

	while ((length = getline(&line, &size, jobs)) >= 0) {
		if (length && line[length - 1] == '\n')
			line[length - 1] = '\0';
		if (line[0] == '\0' || line[0] == '#')
			continue;
		if (!run_line(++n, line))
			failures++;
	}
	if (ferror(jobs)) {
		printf("init: cannot read %s: %s\n", path, strerror(errno));
		failures++;
	}
	free(line);
	fclose(jobs);
	return failures;
}

int main(void)
{
	int failures;

	/* Line-buffered, so that the kernel's messages do not split init's lines. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	failures = mount_all();
	failures += run_jobs("/etc/jobs");
	printf("@@ done %d\n", failures);

	fflush(stdout);
	sync();
	reboot(RB_POWER_OFF);
	/* The kernel panics if init returns, which the scripts report as a crash. */
	perror("init: cannot power off");
	return 1;
}
