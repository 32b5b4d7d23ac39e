// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: after success and after an error, and whatever fails on the way, leave() keeps this
 * order: reset the disk, unguard PCI, unshare memory, unguard the UART after the last line,
 * clean caches, jump. As little as possible stays shared. The kernel is entered only if
 * nothing failed and nothing is shared or guarded.
 *
 * Each test starts with the firmware as it is after reading its disk. As in the VM, the
 * first access to a page of a device faults.
 */
#include <libfdt.h>

#include "fake_alloc.h"
#include "fake_console.h"
#include "fake_disk.h"
#include "fake_hyp.h"
#include "fake_mmu.h"
#include "fake_trace.h"
#include "leave.h"
#include "testing.h"

#define KERNEL		(RAM_BASE + 0x200000)
#define KERNEL_ROOM	0x100000ull
#define RAM_SIZE	0x10000000ull
#define HOST_TREE	(RAM_BASE + RAM_SIZE - FDT_MAX_SIZE)
#define OTHER_UART	0x9000000ull
#define DATA		0x7fe00000ull
#define SECTORS		64

static const struct fake_range anywhere = { 0, UINT64_MAX };
static const struct fake_range pci_space = {
	FAKE_CONFIG, FAKE_WINDOW + FAKE_WINDOW_SIZE - FAKE_CONFIG
};

static struct firmware *fw;

/* At each access to a device: call guard_fault() if a CPU would fault. */
static void touch(u64 addr)
{
	if (!fake_hyp.guarded[addr / PAGE_SIZE])
		assert_int_equal(guard_fault(&fw->guard, addr), FW_OK);
}

static void add(u64 base, u64 size, enum memmap_kind kind, const char *name)
{
	assert_int_equal(memmap_add(&fw->map, base, size, kind, name, NULL), FW_OK);
}

static void make_tree(void)
{
	fw->guest.cpu_count = 1;
	fw->tree = buddy_alloc(&fw->heap, GUEST_TREE_SIZE);
	assert_non_null(fw->tree);
	assert_int_equal(guest_write(&fw->guest, &fw->platform, fw->tree, GUEST_TREE_SIZE), FW_OK);
}

/* Do what the firmware does before leave(). */
static void prepare(u64 uart)
{
	fake_hyp_reset();
	fake_bus_reset();
	fake_console_reset();
	memset(&fake_mmu, 0, sizeof(fake_mmu));
	memset(fw, 0, sizeof(*fw));
	fake_disk_add(3, SECTORS);
	fake_bus_touch = touch;
	hyp_discover(&fw->hyp);
	assert_int_equal(guard_init(&fw->guard, &fw->hyp, 0, UART_DEFAULT_PAGE), FW_OK);
	assert_int_equal(buddy_init(&fw->heap, (uintptr_t)fake_hyp.arena, FW_SCRATCH_SHIFT,
				    fw->heap_tree), FW_OK);
	assert_int_equal(buddy_add(&fw->heap, (uintptr_t)fake_hyp.arena, FW_SCRATCH_SIZE), FW_OK);
	assert_int_equal(pgtable_init(&fw->pgtable, &fw->heap), FW_OK);
	memmap_init(&fw->map, &fw->pgtable);
	add(UART_DEFAULT_PAGE, PAGE_SIZE, MEMMAP_DEVICE, "UART");
	add(HOST_TREE, PAGE_SIZE, MEMMAP_RODATA, "device tree");
	fw->host_tree = HOST_TREE;
	add(DATA, 2 * PAGE_SIZE, MEMMAP_DATA, "firmware scratch");
	assert_int_equal(guard_adopt(&fw->guard, &fw->pgtable, UART_DEFAULT_PAGE), FW_OK);
	fw->platform = fake_bus_platform();
	fw->platform.uart_base = uart;
	fw->platform.ram_size = RAM_SIZE;
	fw->platform.kernel = (struct payload){ KERNEL, 0x1000 };
	fw->platform.kernel_room = KERNEL_ROOM;
	assert_int_equal(platform_memmap(&fw->platform, false, &fw->map), FW_OK);
	fw->devices_mapped = true;
	if (uart != UART_DEFAULT_BASE)
		assert_int_equal(guard_fault(&fw->guard, uart), FW_OK);
	fw->config = (struct fw_config){ .read_size = 4096, .read_depth = 4, .max_disk = 1 };
	assert_int_equal(shared_init(&fw->pool, &fw->hyp, &fw->heap, 0, 0), FW_OK);
	assert_int_equal(disk_init(&fw->disk, &fw->platform, &fw->pool), FW_OK);
	assert_int_equal(disk_hash(&fw->disk, &fw->heap, &fw->config), FW_OK);
	make_tree();
	assert_true(fake_hyp.shared_now > 1 && fake_hyp.guarded_now > 4);
	fake_trace_reset();
	fake_console_reset();
}

static bool said(const char *words)
{
	return strstr(fake_console_text, words);
}

/* Check that the firmware ended by this event and by no other. */
static void ended(enum fake_event how)
{
	unsigned int last = fake_trace_count(EVENT_JUMP) + fake_trace_count(EVENT_OFF) +
			    fake_trace_count(EVENT_RESET);

	assert_int_equal(last, 1);
	assert_int_equal(fake_trace_count(how), 1);
	assert_true(said(how == EVENT_JUMP ? "boot\n" : how == EVENT_OFF ? "off\n" : "reset\n"));
	/* Caches are cleaned only for a kernel. */
	assert_int_equal(fake_trace_count(EVENT_CLEAN) > 0, how == EVENT_JUMP);
}

/* Check that each step ended before the next one began. */
static void in_order(u64 uart)
{
	const struct fake_range page = { align_down(uart, PAGE_SIZE), PAGE_SIZE };
	int reset = fake_trace_last(EVENT_DISK_RESET, anywhere);
	int unguard = fake_trace_first(EVENT_UNGUARD, pci_space);
	int unguarded = fake_trace_last(EVENT_UNGUARD, pci_space);
	int unshare = fake_trace_first(EVENT_UNSHARE, anywhere);
	int unshared = fake_trace_last(EVENT_UNSHARE, anywhere);
	int word = fake_trace_last(EVENT_PRINT, anywhere);
	int silent = fake_trace_first(EVENT_UNGUARD, page);

	assert_true(reset >= 0 && reset < unguard);
	assert_true(unguarded < unshare);
	assert_true(unshared < word);
	assert_true(word < silent);
}

static void nothing_left(void)
{
	assert_int_equal(fake_hyp.shared_now, 0);
	assert_int_equal(fake_hyp.guarded_now, 0);
	assert_int_equal(fw->guard.pages_now, 0);
	assert_true(said("nothing shared\n"));
}

static void to_the_kernel(void **state)
{
	static const u64 uarts[] = { UART_DEFAULT_BASE, OTHER_UART };
	const struct fake_range cleaned[] = { { DATA, 2 * PAGE_SIZE }, { HOST_TREE, PAGE_SIZE } };
	const struct fake_range tree = { HOST_TREE, 1 }, kernel = { KERNEL, 1 };
	int copy, clean;
	u32 i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(uarts); i++) {
		prepare(uarts[i]);
		leave(fw, FW_OK);
		ended(EVENT_JUMP);
		in_order(uarts[i]);
		nothing_left();
		copy = fake_trace_first(EVENT_COPY, tree);
		clean = fake_trace_first(EVENT_CLEAN, anywhere);
		assert_true(copy >= 0 && copy < clean);
		assert_true(fake_trace_last(EVENT_UNGUARD, anywhere) < clean);
		assert_true(fake_trace_last(EVENT_CLEAN, anywhere) <
			    fake_trace_first(EVENT_JUMP, kernel));
		/* The firmware's data and the kernel's tree are cleaned, nothing else. */
		assert_int_equal(fake_mmu.cleaned_count, ARRAY_SIZE(cleaned));
		for (j = 0; j < ARRAY_SIZE(cleaned); j++)
			assert_true(!memcmp(&fake_mmu.cleaned[0], &cleaned[j], sizeof(*cleaned)) ||
				    !memcmp(&fake_mmu.cleaned[1], &cleaned[j], sizeof(*cleaned)));
	}
}

static void no_kernel(void **state)
{
	(void)state;
	prepare(UART_DEFAULT_BASE);
	fw->tree = NULL;
	leave(fw, FW_OK);
	ended(EVENT_OFF);
	in_order(UART_DEFAULT_BASE);
	nothing_left();
}

/* After an earlier error leave() does the same, but resets the VM. */
static void after_an_error(void **state)
{
	(void)state;
	prepare(UART_DEFAULT_BASE);
	leave(fw, FW_EDIGEST);
	ended(EVENT_RESET);
	in_order(UART_DEFAULT_BASE);
	nothing_left();
}

/* An error before there are page tables, a pool or a disk. */
static void error_at_start(void **state)
{
	(void)state;
	fake_hyp_reset();
	fake_bus_reset();
	fake_console_reset();
	fake_trace_reset();
	memset(fw, 0, sizeof(*fw));
	hyp_discover(&fw->hyp);
	assert_int_equal(guard_init(&fw->guard, &fw->hyp, 0, UART_DEFAULT_PAGE), FW_OK);
	leave(fw, FW_EPSCI);
	ended(EVENT_RESET);
	assert_int_equal(fake_hyp.calls, 0);
}

/* If a call to unshare is refused, a granule stays shared and the kernel is not entered. */
static void still_shared(void **state)
{
	u64 calls, call;

	(void)state;
	prepare(UART_DEFAULT_BASE);
	calls = fake_hyp.shared_now;
	for (call = 1; call <= calls; call++) {
		prepare(UART_DEFAULT_BASE);
		fake_hyp.fail_call = fake_hyp.calls + call;
		leave(fw, FW_OK);
		ended(EVENT_RESET);
		in_order(UART_DEFAULT_BASE);
		assert_int_equal(fake_hyp.shared_now, 1);
		assert_int_equal(fake_hyp.guarded_now, 0);
		assert_true(said("error: 1 granules stay shared: hypervisor refused to unshare"));
		assert_false(said("nothing shared"));
	}
	prepare(UART_DEFAULT_BASE);
	fake_hyp.fail_from = 1;
	leave(fw, FW_OK);
	ended(EVENT_RESET);
	assert_int_equal(fake_hyp.shared_now, calls);
}

/* The count of calls has a shared granule that the sharer's record does not have. */
static void records_differ(void **state)
{
	(void)state;
	prepare(UART_DEFAULT_BASE);
	fw->hyp.granules_shared++;
	leave(fw, FW_OK);
	ended(EVENT_RESET);
	assert_true(said("error: 0 granules stay shared: memory is still shared"));
	assert_false(said("nothing shared"));
}

/*
 * If a page cannot be unguarded, the kernel is not entered. The UART is the last one; then
 * nothing can be printed.
 */
static void still_guarded(void **state)
{
	u64 calls, call;

	(void)state;
	prepare(UART_DEFAULT_BASE);
	calls = fake_hyp.guarded_now;
	for (call = 1; call <= calls; call++) {
		prepare(UART_DEFAULT_BASE);
		fake_hyp.guard_fail_call = fake_hyp.guard_calls + call;
		leave(fw, FW_OK);
		assert_int_equal(fake_trace_count(EVENT_JUMP), 0);
		assert_int_equal(fake_trace_count(EVENT_RESET), 1);
		in_order(UART_DEFAULT_BASE);
		assert_int_equal(fake_hyp.guarded_now, 1);
		assert_int_equal(fake_hyp.shared_now, 0);
		assert_int_equal(said("error: PCI: hypervisor refused to guard or unguard MMIO"),
				 call < calls);
	}
}

/* The disk does not reset: its memory is unshared, and the kernel is not entered. */
static void stuck_disk(void **state)
{
	(void)state;
	prepare(UART_DEFAULT_BASE);
	fake_disk.stuck_reset = true;
	leave(fw, FW_OK);
	ended(EVENT_RESET);
	in_order(UART_DEFAULT_BASE);
	nothing_left();
	assert_true(said("error: stopping the disk: device does not respond"));
}

/* The host's tree is the last page of RAM, and the kernel's tree is longer. */
static void prepare_longer_tree(void)
{
	prepare(UART_DEFAULT_BASE);
	assert_int_equal(memmap_remove(&fw->map, HOST_TREE), FW_OK);
	fw->host_tree = RAM_BASE + RAM_SIZE - PAGE_SIZE;
	add(fw->host_tree, PAGE_SIZE, MEMMAP_RODATA, "device tree");
	fw->guest.cpu_count = GUEST_MAX_CPUS;
	assert_int_equal(guest_write(&fw->guest, &fw->platform, fw->tree, GUEST_TREE_SIZE), FW_OK);
	assert_true(fdt_totalsize(fw->tree) > PAGE_SIZE);
}

static void longer_tree(void **state)
{
	const struct fake_range elsewhere = { RAM_BASE, 1 };

	(void)state;
	prepare_longer_tree();
	leave(fw, FW_OK);
	ended(EVENT_JUMP);
	assert_true(fake_trace_first(EVENT_COPY, elsewhere) >= 0);
}

static void no_place_for_the_tree(void **state)
{
	(void)state;
	prepare(UART_DEFAULT_BASE);
	fw->platform.reserved[0] = (struct reserved){ RAM_BASE, RAM_SIZE, false };
	fw->platform.reserved_count = 1;
	leave(fw, FW_OK);
	ended(EVENT_RESET);
	nothing_left();
	assert_true(said("error: device tree of the kernel: out of memory"));
	prepare_longer_tree();
	fake_alloc = (struct fake_alloc){ .fail_at = 1 };
	leave(fw, FW_OK);
	ended(EVENT_RESET);
	nothing_left();
	assert_int_equal(fake_trace_count(EVENT_COPY), 0);
	assert_true(said("error: device tree of the kernel: out of memory"));
	fake_alloc.fail_at = 0;
}

static int setup(void **state)
{
	(void)state;
	fw = calloc(1, sizeof(*fw));
	return fw ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(fw);
	fake_hyp_release();
	return 0;
}

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test(to_the_kernel),
		cmocka_unit_test(no_kernel),
		cmocka_unit_test(after_an_error),
		cmocka_unit_test(error_at_start),
		cmocka_unit_test(still_shared),
		cmocka_unit_test(records_differ),
		cmocka_unit_test(still_guarded),
		cmocka_unit_test(stuck_disk),
		cmocka_unit_test(longer_tree),
		cmocka_unit_test(no_place_for_the_tree),
	};

	return cmocka_run_group_tests_name("pvmfw leave", tests, setup, teardown);
}
