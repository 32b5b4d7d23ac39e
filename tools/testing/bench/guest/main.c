// SPDX-License-Identifier: GPL-2.0-only
/*
 * Times hypercalls, faults and MMIO of a guest, in ticks of the virtual counter. Each benchmark is
 * repeated and reported as one line,
 *
 *	bench: <name> median <ticks> min <ticks> max <ticks> samples <number>
 *
 * without the ticks of the stopwatch itself. A VM that cannot share memory skips the benchmarks of
 * sharing and guarding. "bench: done" is the last line of a successful run.
 */
#include <linux/arm-smccc.h>
#include <linux/pkvm.h>
#include <linux/psci.h>

#include "guest.h"

/* The function id of a call of KVM. */
#define KVM_CALL(name)	ARM_SMCCC_VENDOR_HYP_KVM_##name##_FUNC_ID

#define CALLS		1024
#define RANGES		2
/* In granules: what a fault may donate at once. */
#define TOUCH_RUN	16

/* How many pages the guest relinquishes one by one, and in a row. */
#define ALONE		128
#define ROW		256

u64 samples[MAX_SAMPLES];
u64 watch;

static bool has_windows;

static void sort(u64 *values, u64 count)
{
	for (u64 gap = count / 2; gap; gap /= 2) {
		for (u64 i = gap; i < count; i++) {
			u64 value = values[i];
			u64 at = i;

			for (; at >= gap && values[at - gap] > value; at -= gap)
				values[at] = values[at - gap];
			values[at] = value;
		}
	}
}

static void print_value(const char *name, u64 value)
{
	console_text(name);
	console_number(value);
}

void report(const char *name, u64 count)
{
	bench_ends();
	sort(samples, count);
	console_text("bench: ");
	console_text(name);
	print_value(" median ", samples[count / 2] - watch);
	print_value(" min ", samples[0] - watch);
	print_value(" max ", samples[count - 1] - watch);
	print_value(" samples ", count);
	console_text("\n");
}

static u64 granule(u64 index)
{
	return (u64)image_end + index * GRANULE;
}

static void calibrate(void)
{
	watch = 0;
	for (u64 i = 0; i < CALLS; i++)
		samples[i] = time_nothing();
	sort(samples, CALLS);
	watch = samples[0];
}

static u64 hvc(u64 function)
{
	u64 regs[4] = { function };

	time_hvc(regs);
	return regs[0];
}

static void bench_call(const char *name, u64 function)
{
	for (u64 i = 0; i < CALLS; i++) {
		u64 regs[4] = { function };

		samples[i] = time_hvc(regs);
		if (regs[0] == (u64)SMCCC_RET_NOT_SUPPORTED)
			guest_fail("not supported: function", function);
	}
	report(name, CALLS);
}

/* Times the exit to the VMM and back, without the work of a device. */
static void bench_mmio_write(void)
{
	for (u64 i = 0; i < CALLS; i++)
		samples[i] = time_store(i, NO_DEVICE);
	report("mmio_write", CALLS);
}

static void bench_first_touch(void)
{
	u64 count = pool_granules / 2;

	for (u64 i = 0; i < count; i++)
		samples[i] = time_store(i, granule(i));
	report("first_touch", count);
}

/*
 * The first touch of the other half of the pool, where a fault may bring the pages around, too:
 * the samples of a run of pages are their mean. The operations of EL2 are counted by page.
 */
static void bench_touch_run(void)
{
	u64 count = (pool_granules - pool_granules / 2) / TOUCH_RUN * TOUCH_RUN;
	u64 first = pool_granules - count;

	for (u64 run = 0; run < count; run += TOUCH_RUN) {
		u64 sum = 0;

		for (u64 i = run; i < run + TOUCH_RUN; i++)
			sum += time_store(i, granule(first + i));
		for (u64 i = run; i < run + TOUCH_RUN; i++)
			samples[i] = sum / TOUCH_RUN;
	}
	report("touch_run", count);
}

static void bench_share(const char *name, u64 function, u64 count)
{
	for (u64 i = 0; i < count; i++) {
		u64 regs[4] = { function, granule(i) };

		samples[i] = time_hvc(regs);
		if (regs[0])
			guest_fail(name, regs[0]);
	}
	report(name, count);
}

/*
 * Times range calls. The hypervisor may process less of a range than requested, so each range may
 * take several calls. A sample is the time of a call, per granule or in total.
 */
static void bench_ranges(const char *name, u64 function, u64 start, u64 size, bool per_granule)
{
	u64 calls = 0;

	for (u64 range = 0; range < RANGES; range++) {
		u64 address = start + range * size * GRANULE;
		u64 left = size;

		while (left) {
			u64 regs[4] = { function, address, left };
			u64 ticks = time_hvc(regs) - watch;

			if (regs[0] || !regs[1] || regs[1] > left || calls == MAX_SAMPLES)
				guest_fail(name, regs[0]);
			samples[calls++] = (per_granule ? ticks / regs[1] : ticks) + watch;
			address += regs[1] * GRANULE;
			left -= regs[1];
		}
	}
	report(name, calls);
}

static u64 time_relinquish(u64 index)
{
	u64 regs[4] = { KVM_CALL(MEM_RELINQUISH), granule(index) };
	u64 ticks = time_hvc(regs);

	if (regs[0])
		guest_fail("relinquish:", regs[0]);
	return ticks;
}

/* The samples of pages in a row are their mean. */
static void bench_relinquish(void)
{
	u64 sum = 0;

	for (u64 i = 0; i < ALONE; i++)
		samples[i] = time_relinquish(i);
	report("relinquish", ALONE);

	for (u64 i = 0; i < ROW; i++)
		sum += time_relinquish(ALONE + i);
	for (u64 i = 0; i < ROW; i++)
		samples[i] = sum / ROW;
	report("relinquish_row", ROW);
}

static void must(u64 function, u64 argument)
{
	u64 regs[4] = { function, argument };

	time_hvc(regs);
	if (regs[0])
		guest_fail("enrolling:", regs[0]);
}

/* Enroll in the MMIO guard, as a guest with secrets does. */
static void enroll(void)
{
	must(KVM_CALL(MMIO_GUARD), UART_BASE & -GRANULE);
	must(KVM_CALL(MMIO_GUARD), NO_DEVICE & -GRANULE);
	if (has_windows)
		windows_guard();
	must(KVM_CALL(MMIO_GUARD_ENROLL), 0);
}

void guest_main(void)
{
	if (pool_granules < ALONE + ROW || pool_granules > MAX_SAMPLES)
		guest_fail("pool of granules:", pool_granules);

	if (hvc(KVM_CALL(FEATURES)) >> ARM_SMCCC_KVM_FUNC_MEM_SHARE & 1) {
		has_windows = windows_populate();
		enroll();
	}

	calibrate();
	bench_call("features", KVM_CALL(FEATURES));
	bench_call("host_call", PSCI_0_2_FN_PSCI_VERSION);
	bench_mmio_write();
	bench_first_touch();
	bench_touch_run();
	if (hvc(KVM_CALL(FEATURES)) >> ARM_SMCCC_KVM_FUNC_MEM_SHARE & 1) {
		if (hvc(KVM_CALL(HYP_MEMINFO)) != GRANULE)
			guest_fail("granule of", hvc(KVM_CALL(HYP_MEMINFO)));
		bench_share("mem_share", KVM_CALL(MEM_SHARE), pool_granules);
		bench_share("mem_unshare", KVM_CALL(MEM_UNSHARE), pool_granules);
		bench_ranges("share_range", KVM_CALL(MEM_SHARE), granule(0),
			     pool_granules / RANGES, true);
		bench_ranges("unshare_range", KVM_CALL(MEM_UNSHARE), granule(0),
			     pool_granules / RANGES, true);
		bench_ranges("rguard_map", KVM_CALL(MMIO_RGUARD_MAP), WINDOWS, WINDOW_GRANULES,
			     false);
		bench_ranges("rguard_unmap", KVM_CALL(MMIO_RGUARD_UNMAP), WINDOWS,
			     WINDOW_GRANULES, false);
		/* Relinquish only some pages, so that teardown of the VM still has many. */
		bench_relinquish();
		if (has_windows)
			windows_bench();
	}
	console_text("bench: done\n");
	guest_off();
}
