// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets of IPAs for the ghost: a few ranges each, as the guards of a guest are. A set that
 * falls into more ranges than there is room for is forgotten, and answers nothing any more.
 */

#include <linux/minmax.h>
#include <linux/string.h>

#include <nvhe/ghost_set.h>

/* Make room for a range at @i, or have the one there removed. */
static void move(struct ghost_set *set, unsigned int i, int by)
{
	unsigned int from = by < 0 ? i - by : i;

	memmove(&set->range[by < 0 ? i : i + by], &set->range[from],
		(set->nr - from) * sizeof(set->range[0]));
	set->nr += by;
}

/**
 * ghost_set_remove() - Take a range out of a set
 * @set: the set.
 * @start: the range; what of it is not in the set is ignored.
 * @end: its end.
 */
void ghost_set_remove(struct ghost_set *set, u64 start, u64 end)
{
	unsigned int i = 0;

	while (i < set->nr && !set->forgotten) {
		u64 old_end = set->range[i].end;

		if (old_end <= start || set->range[i].start >= end) {
			i++;
		} else if (set->range[i].start < start) {
			set->range[i].end = start;
			if (old_end > end)
				ghost_set_add(set, end, old_end);
			i++;
		} else if (old_end > end) {
			set->range[i].start = end;
			i++;
		} else {
			move(set, i, -1);
		}
	}
}

/**
 * ghost_set_add() - Add a range to a set
 * @set: the set.
 * @start: the range; some of it may be in the set already.
 * @end: its end.
 */
void ghost_set_add(struct ghost_set *set, u64 start, u64 end)
{
	unsigned int i = 0;

	while (i < set->nr && set->range[i].end < start)
		i++;

	/* Swallow what overlaps, or is next to it. */
	while (i < set->nr && set->range[i].start <= end) {
		start = min(start, set->range[i].start);
		end = max(end, set->range[i].end);
		move(set, i, -1);
	}

	if (set->nr == GHOST_MAX_RANGES)
		set->forgotten = true;
	if (set->forgotten)
		return;

	move(set, i, 1);
	set->range[i].start = start;
	set->range[i].end = end;
}

/**
 * ghost_set_has() - Whether an IPA is in a set
 * @set: the set, which is not forgotten.
 * @ipa: the IPA.
 *
 * Return: whether it is.
 */
bool ghost_set_has(const struct ghost_set *set, u64 ipa)
{
	unsigned int i;

	for (i = 0; i < set->nr; i++) {
		if (ipa >= set->range[i].start && ipa < set->range[i].end)
			return true;
	}

	return false;
}

/**
 * ghost_set_size() - How large a set is
 * @set: the set, which is not forgotten.
 *
 * Return: bytes.
 */
u64 ghost_set_size(const struct ghost_set *set)
{
	unsigned int i;
	u64 size = 0;

	for (i = 0; i < set->nr; i++)
		size += set->range[i].end - set->range[i].start;

	return size;
}
