// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints the firmware's counters (stats.h).
 */
#include "console.h"
#include "stats.h"

/* Guard calls that it would have taken to guard the UART and all of the PCI host at boot. */
static u64 eager_guards(const struct firmware *fw)
{
	const struct platform *p = &fw->platform;
	const u64 granule = fw->hyp.guard_granule;
	u64 bytes;

	if (!fw->guard.active || !fw->devices_mapped)
		return 0;
	bytes = align_up(p->config_size, granule) + align_up(p->window_size, granule);
	return 1 + bytes / granule;
}

void stats_print(const struct firmware *fw)
{
	const struct hyp *h = &fw->hyp;
	const u64 *t = fw->ticks;

	pr_info("stats ranges=%u refills=%llu share_calls=%llu unshare_calls=%llu pages_shared_peak=%llu granule_queries=%llu requests=%llu in_flight_peak=%u pool_pages_peak=%llu per_alloc_calls=%llu guard_calls=%llu unguard_calls=%llu guard_pages_peak=%llu guard_queries=%llu guard_eager_calls=%llu",
		h->ranges, (unsigned long long)fw->pool.stats.refills,
		(unsigned long long)h->share_calls, (unsigned long long)h->unshare_calls,
		(unsigned long long)fw->pool.sharer.shared_peak,
		(unsigned long long)h->granule_queries,
		(unsigned long long)fw->disk.blk.requests, fw->disk.blk.in_flight_peak,
		(unsigned long long)align_up(fw->pool.stats.in_use_peak, PAGE_SIZE) / PAGE_SIZE,
		(unsigned long long)fw->pool.stats.per_alloc_calls,
		(unsigned long long)h->guard_calls, (unsigned long long)h->unguard_calls,
		(unsigned long long)fw->guard.pages_peak, (unsigned long long)h->guard_queries,
		(unsigned long long)eager_guards(fw));
	/* "counter" lets a kernel or a benchmark continue the count. */
	pr_info("ticks start=%llu devtree=%llu disk=%llu verify=%llu leave=%llu counter=%llu",
		(unsigned long long)(t[PHASE_DEVTREE] - t[PHASE_START]),
		(unsigned long long)(t[PHASE_DISK] - t[PHASE_DEVTREE]),
		(unsigned long long)(t[PHASE_VERIFY] - t[PHASE_DISK]),
		(unsigned long long)(t[PHASE_LEAVE] - t[PHASE_VERIFY]),
		(unsigned long long)(t[PHASE_COUNT] - t[PHASE_LEAVE]),
		(unsigned long long)t[PHASE_COUNT]);
}
