/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations that the files of the test root's init share; main.c says what it does. It has one
 * thread and no locks.
 */
#ifndef PKVM_INIT_H
#define PKVM_INIT_H

#include <stdbool.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

/* Limit of words in a job line. A longer line is refused. */
#define JOB_MAX_WORDS	64

/* Seconds that a job may take if its line has no limit. */
#define JOB_DEFAULT_LIMIT	300

/**
 * struct job - one line of /etc/jobs
 * @argc:	number of words of the command
 * @argv:	the words, terminated by NULL; they point into the line
 * @limit:	seconds after which the job is killed
 */
struct job {
	int argc;
	char *argv[JOB_MAX_WORDS + 1];
	unsigned int limit;
};

/**
 * job_parse() - split a line into a job
 * @line:	the line without its newline; it is changed
 * @job:	filled in
 *
 * Words are separated by blanks; double quotes keep blanks in a word. A first word limit=SECONDS
 * sets the limit.
 *
 * Return: 0, or -EINVAL if a quote is not closed, the limit is not from 1 to 86400, or there are
 * no words or too many.
 */
int job_parse(char *line, struct job *job);

/**
 * job_run() - run a job to its end, or kill it at its limit
 * @job:	the job
 * @timed_out:	set to true if it was killed at its limit
 *
 * Kills every process of the job's process group that is left. Standard input is /dev/null;
 * standard output and error are the console.
 *
 * Return: the exit status as in a shell: 128 + n for signal n, 127 if the program does not exist,
 * 126 if it cannot be executed.
 */
int job_run(const struct job *job, bool *timed_out);

/* A builtin command: takes its words, returns its exit status. */
typedef int (*builtin_fn)(int argc, char *argv[]);

/**
 * builtin_find() - look up a builtin command
 * @name:	name of the command
 *
 * Return: its function, to be called in a process of its own; NULL if there is no such builtin.
 */
builtin_fn builtin_find(const char *name);

/* The counters of protected VMs. */
#define PKVM_COUNTERS	"/sys/kernel/debug/kvm/pkvm_stats"

/**
 * sum_lines() - add up the numbers in the lines of a file
 * @path:	the file
 * @format:	a scanf() format for a line with one number, a long
 *
 * Return: the sum, or -1 if no line matches.
 */
long sum_lines(const char *path, const char *format);

/**
 * show_file() - print a file on the console
 * @path:	the file
 *
 * Return: 0, or 1 after an error that was printed.
 */
int show_file(const char *path);

/**
 * show_memfree() - drop caches and print the host's free memory, as "memfree <KiB>"
 *
 * Takes two seconds.
 *
 * Return: 0, or 1 after an error that was printed.
 */
int show_memfree(void);

/**
 * sleep_ms() - wait
 * @ms:		milliseconds
 */
void sleep_ms(unsigned long ms);

int do_balloon(int argc, char *argv[]);

#endif /* PKVM_INIT_H */
