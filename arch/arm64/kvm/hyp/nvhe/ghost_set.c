// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets of IPAs for the ghost, each of a few ranges, as guards usually are. A set that would
 * need more ranges than it has room for is marked as forgotten, and not used any more.
 */

#include <linux/minmax.h>
#include <linux/string.h>

#include <nvhe/ghost_set.h>

/* Make room for @by ranges at index @i or, if @by is negative, remove -@by ranges there. */
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

	/* Merge with the ranges that overlap or adjoin it. */
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
 * ghost_set_has() - Check whether an IPA is in a set
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
 * ghost_set_size() - Get the size of a set
 * @set: the set, which is not forgotten.
 *
 * Return: the size in bytes.
 */
u64 ghost_set_size(const struct ghost_set *set)
{
	unsigned int i;
	u64 size = 0;

	for (i = 0; i < set->nr; i++)
		size += set->range[i].end - set->range[i].start;

	return size;
}
