// SPDX-License-Identifier: GPL-2.0-only
/*
 * Read dumps of stage-2 tables, and check that a dump is consistent. See pvm_dump.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pvm_dump.h"

static const char * const total_names[PVM_DUMP_TOTALS] = {
	"leaves L1", "leaves L2", "leaves L3", "annotated", "tables", "references",
};

static int parse_run(struct pvm_dump *dump, const char *line)
{
	struct pvm_dump_run run = {}, *runs;

	if (sscanf(line, "0x%lx-0x%lx L%d %u x %luK %63[^\n]", &run.start, &run.last, &run.level,
		   &run.nr, &run.kib, run.what) != 6)
		return -EBADMSG;

	runs = realloc(dump->run, (dump->nr_runs + 1) * sizeof(run));
	if (!runs)
		return -ENOMEM;
	dump->run = runs;
	dump->run[dump->nr_runs++] = run;
	return 0;
}

static int parse_total(struct pvm_dump *dump, const char *line)
{
	char name[64];
	long value;

	if (sscanf(line, "%63[^:]: %ld", name, &value) != 2)
		return -EBADMSG;
	for (int i = 0; i < PVM_DUMP_TOTALS; i++) {
		if (!strcmp(name, total_names[i]))
			dump->total[i] = value;
	}
	if (!strcmp(name, "faults"))
		dump->faults = value;
	/* The first such line is for the first level. */
	if (!strncmp(name, "tables L", 8) && dump->roots < 0)
		dump->roots = value;
	return 0;
}

/**
 * pvm_dump_parse() - Parse a dump
 * @dump: filled in; call pvm_dump_free() for it, also after an error.
 * @text: the text of the dump, which the function modifies.
 *
 * Any thread.
 *
 * Return: 0; -EBADMSG if @text is not a complete dump; -ENOMEM.
 */
int pvm_dump_parse(struct pvm_dump *dump, char *text)
{
	char *line, *rest = text;
	int err = 0;

	memset(dump, 0, sizeof(*dump));
	memset(dump->total, 0xff, sizeof(dump->total));
	dump->roots = -1;
	dump->faults = -1;
	while (!err && (line = strsep(&rest, "\n")) && rest)
		err = line[0] == '0' ? parse_run(dump, line) : parse_total(dump, line);
	for (int i = 0; !err && i < PVM_DUMP_TOTALS; i++) {
		/* Some granule sizes have no blocks of level 1. */
		if (dump->total[i] < 0 && i != PVM_DUMP_LEAVES_L1)
			err = -EBADMSG;
	}
	return err || (dump->roots > 0 && dump->nr_runs) ? err : -EBADMSG;
}

/* Open a dump. EBUSY means that vCPUs keep changing the tables: then retry, for a second. */
static int open_dump(const char *path)
{
	int fd, tries = 100;

	do {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 || errno != EBUSY)
			break;
		usleep(10000);
	} while (--tries);

	return fd;
}

/**
 * pvm_dump_read() - Read and parse a dump
 * @dump: filled in; call pvm_dump_free() for it, also after an error.
 * @path: the path of the dump.
 *
 * Any thread. May take a second.
 *
 * Return: 0 or a negative errno of open(), read() or pvm_dump_parse().
 */
int pvm_dump_read(struct pvm_dump *dump, const char *path)
{
	size_t size = 0, room = 0;
	char *text = NULL, *grown;
	ssize_t got = 1;
	int fd, err = 0;

	memset(dump, 0, sizeof(*dump));
	fd = open_dump(path);
	if (fd < 0)
		return -errno;

	while (!err && got) {
		if (size + 1 >= room) {
			room += 1 << 16;
			grown = realloc(text, room);
			if (!grown)
				err = -ENOMEM;
			else
				text = grown;
			continue;
		}
		got = read(fd, text + size, room - size - 1);
		if (got < 0)
			err = -errno;
		else
			size += got;
	}
	close(fd);

	if (!err) {
		text[size] = '\0';
		err = pvm_dump_parse(dump, text);
	}
	free(text);
	return err;
}

/**
 * pvm_dump_free() - Free the memory of a dump
 * @dump: the dump; set to zeroes.
 *
 * Any thread.
 */
void pvm_dump_free(struct pvm_dump *dump)
{
	free(dump->run);
	memset(dump, 0, sizeof(*dump));
}

static bool is_valid(const struct pvm_dump_run *run)
{
	return strstr(run->what, " normal") || strstr(run->what, " device") ||
	       strstr(run->what, " uncached");
}

/**
 * pvm_dump_unsound() - Check that a dump is consistent, as a snapshot of one moment must be
 * @dump: the dump.
 * @host: whether it is the host's dump, whose default mappings have no reference.
 *
 * Any thread.
 *
 * Return: NULL if the runs cover the input space without gaps, and their entries add up to the
 * totals and to the references; else a message about the first inconsistency.
 */
const char *pvm_dump_unsound(const struct pvm_dump *dump, bool host)
{
	long leaves[4] = {}, annotated = 0, counted;
	const struct pvm_dump_run *run = dump->run;
	uint64_t next = 0;

	for (size_t i = 0; i < dump->nr_runs; i++, run++) {
		if (run->start != next || run->last < run->start || run->level < 0 ||
		    run->level > 3)
			return "its runs have gaps or overlap";
		next = run->last + 1;
		if (is_valid(run))
			leaves[run->level] += run->nr;
		else if (strcmp(run->what, "empty"))
			annotated += run->nr;
	}
	if (!next || next & (next - 1))
		return "its runs do not end at the end of an input space";

	for (int level = 1; level <= 3; level++) {
		if (leaves[level] && leaves[level] != dump->total[PVM_DUMP_LEAVES_L1 + level - 1])
			return "its leaves do not add up";
	}
	if (annotated != dump->total[PVM_DUMP_ANNOTATED])
		return "its annotations do not add up";

	counted = annotated + dump->total[PVM_DUMP_TABLES] - dump->roots;
	if (!host)
		counted += leaves[1] + leaves[2] + leaves[3];
	return counted == dump->total[PVM_DUMP_REFERENCES] ? NULL :
	       "its references do not add up";
}

/**
 * pvm_dump_at() - Find the run of an address
 * @dump: a dump that pvm_dump_unsound() accepts.
 * @address: an address in its input space.
 *
 * Any thread.
 *
 * Return: the run with @address.
 */
const struct pvm_dump_run *pvm_dump_at(const struct pvm_dump *dump, uint64_t address)
{
	size_t i = 0;

	while (address > dump->run[i].last)
		i++;
	return &dump->run[i];
}
