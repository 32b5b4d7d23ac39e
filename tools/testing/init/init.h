/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the test root's init share: see main.c. */
#ifndef PKVM_INIT_H
#define PKVM_INIT_H

#include <stdbool.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

/* More words than any job line of ours has; a longer line is refused. */
#define JOB_MAX_WORDS	64

/* Seconds that a job may take if its line does not say otherwise. */
#define JOB_DEFAULT_LIMIT	300

/**
 * struct job - one line of /etc/jobs
 * @argc:	number of words of the command
 * @argv:	the words, ended by NULL; they point into the line
 * @limit:	seconds after which the job is killed
 */
struct job {
	int argc;
	char *argv[JOB_MAX_WORDS + 1];
	unsigned int limit;
};

/**
 * job_parse() - split a line into a job
 * @line:	the line without its newline; its bytes are changed
 * @job:	the result
 *
 * Words are separated by blanks; double quotes keep blanks in a word. A first
 * word limit=SECONDS sets the limit.
 *
 * Return: 0, or -EINVAL if a quote stays open, the limit is no number above 0,
 * there are too many words, or none.
 */
int job_parse(char *line, struct job *job);

/**
 * job_run() - run a job to its end, or kill it at its limit
 * @job:	what to run
 * @timed_out:	set if the limit killed it
 *
 * Every process that the job left behind is killed too. Standard input is
 * empty; standard output and error are the console.
 *
 * Return: the exit status as a shell tells it: 128 + n for signal n, 127 if the
 * program does not exist, 126 if it cannot be executed.
 */
int job_run(const struct job *job, bool *timed_out);

/* A command that init itself is: takes its words, returns its exit status. */
typedef int (*builtin_fn)(int argc, char *argv[]);

/**
 * builtin_find() - look up a command that init itself is
 * @name:	the command's name
 *
 * Return: the function that does it, to be called in a process of its own; NULL
 * if there is none.
 */
builtin_fn builtin_find(const char *name);

#endif /* PKVM_INIT_H */
