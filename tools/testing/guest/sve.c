// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs that use SVE, more of them than CPUs, so that each is preempted with its registers full:
 * whether they keep what they have. Prints one line: "sve: right", or what is wrong.
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <unistd.h>

#include <asm/hwcap.h>

#define PROGRAMS	6
/* How long each of them looks, in milliseconds. */
#define TIME		400

#define UP_TO_30	"0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, " \
			"18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30"

static uint64_t now(void)
{
	uint64_t count;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r" (count));
	return count;
}

/* Fill z0..z31, then look at them until the time is up; how many lanes were wrong. */
static uint64_t use_sve(uint64_t pattern, uint64_t end)
{
	uint64_t wrong = 0, found, count;

	__asm__ volatile(".arch_extension sve\n"
		".irp n, " UP_TO_30 ", 31\n"
		"	dup	z\\n\\().d, %[pattern]\n"
		".endr\n"
		"	ptrue	p0.d\n"
		"1:\n"
		".irp n, " UP_TO_30 "\n"
		"	cmpne	p1.d, p0/z, z\\n\\().d, z31.d\n"
		"	cntp	%[found], p0, p1.d\n"
		"	add	%[wrong], %[wrong], %[found]\n"
		".endr\n"
		"	isb\n"
		"	mrs	%[count], cntvct_el0\n"
		"	cmp	%[count], %[end]\n"
		"	b.lo	1b\n"
		"	umov	%[found], v31.d[0]\n"
		"	cmp	%[found], %[pattern]\n"
		"	cinc	%[wrong], %[wrong], ne\n"
		: [wrong] "+r" (wrong), [found] "=&r" (found), [count] "=&r" (count)
		: [pattern] "r" (pattern), [end] "r" (end)
		: "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9",
		  "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20",
		  "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31");

	return wrong;
}

int main(void)
{
	uint64_t frequency;
	int bad = 0, status;

	if (!(getauxval(AT_HWCAP) & HWCAP_SVE)) {
		puts("sve: none");
		return 0;
	}

	__asm__ volatile("mrs %0, cntfrq_el0" : "=r" (frequency));
	for (int i = 0; i < PROGRAMS; i++) {
		pid_t pid = fork();

		if (pid < 0)
			bad++;
		if (!pid)
			_exit(use_sve(0x0101010101010101UL * (i + 1),
				      now() + frequency * TIME / 1000) ? 1 : 0);
	}
	while (wait(&status) > 0)
		bad += status != 0;
	if (bad)
		printf("sve: %d programs of %d lost what they had\n", bad, PROGRAMS);
	else
		puts("sve: right");
	return bad ? 1 : 0;
}
