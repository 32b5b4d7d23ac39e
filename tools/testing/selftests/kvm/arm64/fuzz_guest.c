// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that fuzzes the hypervisor: it makes random calls with random and edge arguments, and the
 * test predicts each result with a model of the IPA space, one byte for each granule.
 *
 *	fuzz_guest [SEED [CALLS]]
 *
 * R5: EL2 answers every call of a guest and goes on. R7: EL2 refuses a call and changes nothing, or
 * does as much as it reports. The model predicts every result register. After each batch the test
 * compares the model with what the host can access, with the contents, and with KVM's statistics.
 * R3: a reclaimed page reads as zero.
 *
 * The test generates a batch, the guest makes its calls without an exit to the test, and then the
 * model makes the same steps. While a batch is generated, the state is known only for its start.
 * So the batch begins with its memory accesses, to granules that have no guard. No batch has calls
 * that end the VM or its vCPU, that wait, or that remove the guest's code or its channel. The same
 * seed makes the same calls.
 *
 * The last granule of the model is memory, so that no range of guards continues past the model. The
 * guest makes no call on IPAs between there and the end of the IPA space.
 */
#include <errno.h>
#include <linux/compiler.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "fuzz_windows.h"
#include "kselftest.h"
#include "pvm.h"
#include "pvm_probe.h"

#define DEFAULT_CALLS	100000

/* The memory with the steps of a batch. */
#define BATCH_SLOT	PVM_FREE_SLOT
#define BATCH_IPA	0x88000000UL
#define BATCH_STEPS	512
#define BATCH_SIZE	(BATCH_STEPS * sizeof(struct pvm_step))

#define WALL_SLOT	(PVM_FREE_SLOT + 2)

/* The data is in two adjacent slots. No memory follows them. */
#define SECOND_SLOT	(PVM_FREE_SLOT + 1)
#define FIRST_PAGES	640UL

#define DATA_SIZE	(FUZZ_PAGES * FUZZ_PAGE)

/* The number of guest accesses at the start of a batch, and of host writes before it. */
#define TOUCHES		96
#define HOST_WRITES	32

struct fuzz {
	struct pvm vm;
	struct fuzz_model model;
	uint64_t random;
	uint64_t calls;
	/* The first IPA behind the IPA space. */
	uint64_t ipa_end;
	/* The steps in memory that the guest shares, and the test's copy of them. */
	struct pvm_step *batch;
	struct pvm_step *asked;
	uint8_t *data;
	struct fuzz_windows windows;
	int log;
};

static const char * const kind_names[FUZZ_KINDS] = {
	"info", "share", "unshare", "relinquish", "guard", "psci", "unknown",
};

/* KVM's counts of dead VMs and of this one, added up. */
struct counts {
	uint64_t calls[FUZZ_KINDS];
	uint64_t shared;
	uint64_t unshared;
};

/* splitmix64 */
static uint64_t random_word(struct fuzz *fuzz)
{
	uint64_t z = fuzz->random += 0x9e3779b97f4a7c15UL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9UL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebUL;
	return z ^ z >> 31;
}

static uint64_t random_below(struct fuzz *fuzz, uint64_t limit)
{
	return random_word(fuzz) % limit;
}

static uint64_t random_edge(struct fuzz *fuzz)
{
	static const uint64_t edges[] = {
		0, 0, 0, 1, 2, 8, 255, 256, 257, 511, 512, 513, 0x800, 0xfff, 0x1000, 1UL << 32,
		1UL << 40, 1UL << 48, 1UL << 52, 1UL << 63, ~0UL, -0x1000UL,
	};

	return edges[random_below(fuzz, ARRAY_SIZE(edges))];
}

/* An IPA, most of the time near memory or a border. */
static uint64_t random_ipa(struct fuzz *fuzz)
{
	uint64_t near = (random_below(fuzz, 8) - 4) * FUZZ_PAGE;

	switch (random_below(fuzz, 16)) {
	case 0:
		return FUZZ_WINDOW_IPA(random_below(fuzz, FUZZ_WINDOWS)) +
		       random_below(fuzz, FUZZ_WINDOW_PAGES) * FUZZ_PAGE;
	case 1 ... 7:
		return PVM_DATA_IPA + random_below(fuzz, FUZZ_PAGES + 8) * FUZZ_PAGE;
	case 8:
		return PVM_DATA_IPA + FIRST_PAGES * FUZZ_PAGE + near;
	case 9:
		/* Around the borders of blocks, where there can only be guards. */
		return FUZZ_BORDER_IPA(random_below(fuzz, 8)) + near;
	case 10:
		return 0x100000000UL + near +
		       random_below(fuzz, 8) * FUZZ_BLOCK * FUZZ_BLOCK * FUZZ_PAGE;
	case 11:
		return random_below(fuzz, 2) ? FUZZ_SIZE + near - 4 * FUZZ_PAGE :
		       fuzz->ipa_end + near + 4 * FUZZ_PAGE;
	case 12:
		return BATCH_IPA + near;
	case 13:
		return PVM_CODE_IPA + near;
	case 14:
		return random_below(fuzz, FUZZ_GRANULES) * FUZZ_PAGE + random_edge(fuzz);
	default:
		return random_below(fuzz, 2) ? random_word(fuzz) : random_edge(fuzz);
	}
}

static uint64_t random_count(struct fuzz *fuzz)
{
	switch (random_below(fuzz, 8)) {
	case 0:
		return random_edge(fuzz);
	case 1:
		return random_below(fuzz, 2 * FUZZ_BLOCK);
	case 2:
		return random_below(fuzz, 64) * FUZZ_BLOCK;
	default:
		return random_below(fuzz, 16);
	}
}

/* A value for an argument that must be zero: zero most of the time. */
static uint64_t random_reserved(struct fuzz *fuzz)
{
	return random_below(fuzz, 16) ? 0 : random_edge(fuzz);
}

static void random_call(struct fuzz *fuzz, uint64_t *args)
{
	static const uint32_t infos[] = {
		HVC_SMCCC_VERSION, HVC_ARCH_FEATURES, HVC_CALL_UID, HVC_FEATURES, HVC_HYP_MEMINFO,
		HVC_GUARD_INFO,
	};
	static const uint32_t changes[] = {
		HVC_MEM_SHARE, HVC_MEM_SHARE, HVC_MEM_UNSHARE, HVC_MEM_UNSHARE, HVC_MEM_RELINQUISH,
		HVC_GUARD_MAP, HVC_GUARD_UNMAP, HVC_RGUARD_MAP, HVC_RGUARD_UNMAP, HVC_RGUARD_UNMAP,
		HVC_GUARD_ENROLL,
	};

	args[1] = random_ipa(fuzz);
	args[2] = random_count(fuzz);
	args[3] = random_reserved(fuzz);
	switch (random_below(fuzz, 16)) {
	case 0:
		args[0] = infos[random_below(fuzz, ARRAY_SIZE(infos))];
		args[1] = random_reserved(fuzz);
		args[2] = random_reserved(fuzz);
		break;
	case 1:
		/* A query for a function or a workaround that exists. */
		args[0] = random_below(fuzz, 2) ? HVC_ARCH_FEATURES : HVC_PSCI_FEATURES;
		args[1] = random_below(fuzz, 2) ? PSCI_0_2_FN_BASE + random_below(fuzz, 0x20) :
			  fuzz_workaround_ids[random_below(fuzz, ARRAY_SIZE(fuzz_workaround_ids))];
		break;
	case 2:
		args[0] = PSCI_0_2_FN_BASE + random_below(fuzz, 0x28);
		args[0] |= random_below(fuzz, 2) << 30;
		args[1] = random_below(fuzz, 2) ? random_below(fuzz, 4) : random_edge(fuzz);
		args[2] = random_below(fuzz, 6);
		break;
	case 3:
		/* A fast vendor-specific call of 32 or 64 bits. */
		args[0] = HVC_FEATURES + random_below(fuzz, 0x40);
		args[0] |= random_below(fuzz, 2) << 30;
		break;
	case 4:
		args[0] = random_word(fuzz);
		break;
	default:
		args[0] = changes[random_below(fuzz, ARRAY_SIZE(changes))];
		if (args[0] == HVC_MEM_RELINQUISH)
			args[2] = random_reserved(fuzz);
	}
	/* The id is in w0. */
	if (!random_below(fuzz, 16))
		args[0] |= random_word(fuzz) << 32;
}

static bool meets(uint64_t first, uint64_t n, uint64_t ipa, uint64_t size)
{
	return first < (ipa + size + FUZZ_PAGE - 1) / FUZZ_PAGE && ipa / FUZZ_PAGE < first + n;
}

/*
 * Check for a call after which the guest could not run, the test could not command it, or the model
 * could not predict the state.
 */
static bool is_excluded(const struct fuzz *fuzz, const uint64_t *args)
{
	uint64_t n = fuzz_granules_in(args[1], args[2] ?: 1);
	uint64_t first = args[1] / FUZZ_PAGE;

	switch ((uint32_t)args[0]) {
	case PSCI_0_2_FN_CPU_SUSPEND:
	case PSCI_0_2_FN64_CPU_SUSPEND:
	case HVC_PSCI_CPU_OFF:
	case HVC_PSCI_SYSTEM_OFF:
	case HVC_PSCI_SYSTEM_RESET:
	case PSCI_1_1_FN_SYSTEM_RESET2:
	case PSCI_1_1_FN64_SYSTEM_RESET2:
	/* EL2's vectors answer these. */
	case ARM_SMCCC_ARCH_WORKAROUND_1:
	case ARM_SMCCC_ARCH_WORKAROUND_2:
	case ARM_SMCCC_ARCH_WORKAROUND_3:
		return true;
	case HVC_GUARD_UNMAP:
	case HVC_RGUARD_UNMAP:
		if (meets(first, n, PVM_CHANNEL_IPA, FUZZ_VCPUS * PVM_CHANNEL_SIZE))
			return true;
		break;
	case HVC_MEM_UNSHARE:
		if (meets(first, n, BATCH_IPA, BATCH_SIZE))
			return true;
		break;
	case HVC_MEM_RELINQUISH:
		if (meets(first, n, PVM_CODE_IPA, FUZZ_PAGE) ||
		    meets(first, n, FUZZ_WALL_IPA, FUZZ_PAGE))
			return true;
		break;
	case HVC_MEM_SHARE:
	case HVC_GUARD_MAP:
	case HVC_RGUARD_MAP:
		break;
	default:
		return false;
	}
	return args[1] >= FUZZ_SIZE && args[1] < fuzz->ipa_end;
}

/* Make an access, but to guards only where windows are. */
static void random_touch(struct fuzz *fuzz, struct pvm_step *step)
{
	bool window = !random_below(fuzz, 4);
	uint64_t ipa = window ? FUZZ_WINDOW_IPA(random_below(fuzz, FUZZ_WINDOWS)) : PVM_DATA_IPA;

	ipa += random_below(fuzz, window ? FUZZ_WINDOW_PAGES : FUZZ_PAGES) * FUZZ_PAGE;
	if (window != (fuzz->model.granules[ipa / FUZZ_PAGE] & FUZZ_GUARDED)) {
		step->command = PVM_HVC;
		step->regs[0] = HVC_FEATURES;
		return;
	}
	step->command = random_below(fuzz, 2) ? PVM_LOAD : PVM_STORE;
	step->regs[0] = ipa;
	step->regs[1] = random_word(fuzz);
}

static void random_steps(struct fuzz *fuzz)
{
	memset(fuzz->asked, 0, BATCH_SIZE);
	for (unsigned int i = 0; i < BATCH_STEPS; i++) {
		struct pvm_step *step = &fuzz->asked[i];

		if (i < TOUCHES) {
			random_touch(fuzz, step);
			continue;
		}
		step->command = PVM_HVC;
		do {
			random_call(fuzz, step->regs);
		} while (is_excluded(fuzz, step->regs));
	}
}

static bool make_steps(struct fuzz *fuzz, unsigned int steps)
{
	struct pvm_vcpu *vcpu = &fuzz->vm.vcpus[random_below(fuzz, FUZZ_VCPUS)];
	int err;

	memcpy(fuzz->batch, fuzz->asked, BATCH_SIZE);
	err = pvm_command(vcpu, PVM_BATCH, BATCH_IPA, steps, 0, 0);
	if (err) {
		ksft_print_msg("vCPU %u failed: %s\n", vcpu->index, strerror(-err));
		return false;
	}

	for (unsigned int i = 0; i < steps; i++) {
		const struct pvm_step *asked = &fuzz->asked[i];
		const uint64_t *got = fuzz->batch[i].regs;

		fuzz->calls += asked->command == PVM_HVC;
		if (fuzz_model_follow(&fuzz->model, asked, got))
			continue;
		ksft_print_msg("call %lu, step %u, command %lu of vCPU %u: %#lx %#lx %#lx %#lx\n",
			       fuzz->calls, i, asked->command, vcpu->index, asked->regs[0],
			       asked->regs[1], asked->regs[2], asked->regs[3]);
		ksft_print_msg("the model does not predict the results %#lx %#lx %#lx %#lx\n",
			       got[0], got[1], got[2], got[3]);
		return false;
	}
	return true;
}

static bool same(const char *what, uint64_t have, uint64_t want)
{
	if (have != want)
		ksft_print_msg("%s: %#lx, should be %#lx\n", what, have, want);
	return have == want;
}

/* R1, R2: the host can access exactly the pages that are not private, and reads the last value. */
static bool check_pages(const struct fuzz *fuzz)
{
	for (uint64_t page = 0; page < FUZZ_PAGES; page++) {
		uint64_t *word = (uint64_t *)(fuzz->data + page * FUZZ_PAGE);
		uint8_t state = fuzz->model.granules[FUZZ_DATA + page];
		int fault = pvm_probe(word, PVM_READ);

		if (fault != (state == FUZZ_OWNED ? SEGV_ACCERR : 0) ||
		    (!fault && !same("contents", READ_ONCE(*word), fuzz->model.contents[page]))) {
			ksft_print_msg("page %lu, state %u: si_code %d of the host's access\n",
				       page, state, fault);
			return false;
		}
	}
	return true;
}

static bool check_bytes(const struct fuzz *fuzz)
{
	const struct fuzz_model *model = &fuzz->model;
	int fd = fuzz->vm.fd;

	return same("private", pvm_kvm_stat(fd, "protected_bytes_private"),
		    model->owned * FUZZ_PAGE) &&
	       same("shared", pvm_kvm_stat(fd, "protected_bytes_shared"),
		    model->shared * FUZZ_PAGE) &&
	       same("guarded", pvm_kvm_stat(fd, "protected_bytes_guarded"),
		    model->guarded * FUZZ_PAGE) &&
	       same("windows", pvm_kvm_stat(fd, "protected_bytes_window"),
		    model->windows * FUZZ_PAGE) &&
	       same("relinquished", pvm_kvm_stat(fd, "protected_bytes_relinquished"),
		    model->relinquished * FUZZ_PAGE);
}

static void host_writes(struct fuzz *fuzz)
{
	for (unsigned int i = 0; i < HOST_WRITES; i++) {
		uint64_t page = random_below(fuzz, FUZZ_PAGES);
		uint64_t value = random_word(fuzz);

		if (fuzz->model.granules[FUZZ_DATA + page] == FUZZ_OWNED)
			continue;
		fuzz->model.contents[page] = value;
		WRITE_ONCE(*(uint64_t *)(fuzz->data + page * FUZZ_PAGE), value);
	}
}

static bool change_windows(struct fuzz *fuzz)
{
	int err = fuzz_windows_change(&fuzz->windows, random_word(fuzz));

	if (!err)
		err = fuzz_windows_offer(&fuzz->windows, fuzz->data,
					 random_below(fuzz, FUZZ_PAGES));
	if (err)
		ksft_print_msg("call %lu: windows: %s\n", fuzz->calls, strerror(-err));
	return !err;
}

static bool go(struct fuzz *fuzz, uint64_t calls)
{
	while (fuzz->calls < calls) {
		host_writes(fuzz);
		if (!change_windows(fuzz))
			return false;
		random_steps(fuzz);
		if (!make_steps(fuzz, BATCH_STEPS) || !check_pages(fuzz) || !check_bytes(fuzz) ||
		    !same("windows are right", fuzz_windows_hold(&fuzz->windows), true))
			return false;
	}
	return true;
}

/* The guest reads all of its data. */
static bool read_all(struct fuzz *fuzz)
{
	for (uint64_t page = 0; page < FUZZ_PAGES; page += BATCH_STEPS) {
		unsigned int steps = 0;

		memset(fuzz->asked, 0, BATCH_SIZE);
		for (uint64_t i = page; i < FUZZ_PAGES && i < page + BATCH_STEPS; i++) {
			if (fuzz->model.granules[FUZZ_DATA + i] == FUZZ_GUARDED)
				continue;
			fuzz->asked[steps].command = PVM_LOAD;
			fuzz->asked[steps++].regs[0] = PVM_DATA_IPA + i * FUZZ_PAGE;
		}
		if (!make_steps(fuzz, steps))
			return false;
	}
	return check_pages(fuzz) && check_bytes(fuzz);
}

/* Read the counts of dead VMs and of this one, which does not run meanwhile. */
static void read_counts(const struct fuzz *fuzz, struct counts *counts)
{
	char name[64];

	for (int kind = 0; kind < FUZZ_KINDS; kind++) {
		snprintf(name, sizeof(name), "protected_calls_%s", kind_names[kind]);
		counts->calls[kind] = pvm_stat(name + strlen("protected_"));
		for (unsigned int i = 0; i < fuzz->vm.nr_vcpus; i++)
			counts->calls[kind] += pvm_kvm_stat(fuzz->vm.vcpus[i].fd, name);
	}
	counts->shared = pvm_stat("pages_shared");
	counts->unshared = pvm_stat("pages_unshared");
	for (unsigned int i = 0; i < fuzz->vm.nr_vcpus; i++) {
		int fd = fuzz->vm.vcpus[i].fd;

		counts->shared += pvm_kvm_stat(fd, "protected_pages_shared");
		counts->unshared += pvm_kvm_stat(fd, "protected_pages_unshared");
	}
}

/* KVM counted each call once, under its kind. */
static bool check_counts(const struct fuzz *fuzz, const struct counts *before)
{
	const struct fuzz_model *model = &fuzz->model;
	struct counts now;
	bool good = true;

	read_counts(fuzz, &now);
	for (int kind = 0; kind < FUZZ_KINDS; kind++)
		good &= same(kind_names[kind], now.calls[kind] - before->calls[kind],
			     model->calls[kind]);
	return good && same("pages shared", now.shared - before->shared, model->pages_shared) &&
	       same("pages unshared", now.unshared - before->unshared, model->pages_unshared);
}

/* Without a live VM, the host has back every page that it donated or that was shared. */
static bool check_totals(void)
{
	return same("pages", pvm_pages_returned(), pvm_stat("pages_donated")) &&
	       same("shared", pvm_stat("pages_unshared") + pvm_stat("pages_reclaimed_shared"),
		    pvm_stat("pages_shared")) &&
	       same("metadata", pvm_stat("metadata_pages_returned"),
		    pvm_stat("metadata_pages_donated"));
}

static void *map(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		ksft_exit_fail_msg("no memory\n");
	return memory;
}

/* Make the VM. The model gets the state after these calls, but does not count them. */
static void make_guest(struct fuzz *fuzz)
{
	struct fuzz_model *model = &fuzz->model;
	uint64_t pages = (BATCH_SIZE + FUZZ_PAGE - 1) / FUZZ_PAGE;
	uint64_t channels = (FUZZ_VCPUS * PVM_CHANNEL_SIZE + FUZZ_PAGE - 1) / FUZZ_PAGE;
	struct pvm *vm = &fuzz->vm;
	struct pvm_vcpu *vcpu = &vm->vcpus[0];
	uint64_t first = FIRST_PAGES * FUZZ_PAGE;

	/* The model knows what the hypervisor does: the host gives what is asked for, no more. */
	if (pvm_write(PVM_FAULT_AROUND, "N") ||
	    pvm_create(vm, KVM_VM_TYPE_ARM_PROTECTED, FUZZ_VCPUS, 0) ||
	    pvm_set_slot(vm, PVM_DATA_SLOT, 0, PVM_DATA_IPA, first, fuzz->data) ||
	    pvm_set_slot(vm, SECOND_SLOT, 0, PVM_DATA_IPA + first, DATA_SIZE - first,
			 fuzz->data + first) ||
	    pvm_set_slot(vm, BATCH_SLOT, 0, BATCH_IPA, pages * FUZZ_PAGE, fuzz->batch) ||
	    pvm_set_slot(vm, WALL_SLOT, 0, FUZZ_WALL_IPA, FUZZ_PAGE, map(FUZZ_PAGE)))
		ksft_exit_fail_msg("cannot create the VM\n");
	fuzz->ipa_end = 1UL << ioctl(vm->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);

	for (unsigned int i = 1; i < FUZZ_VCPUS; i++) {
		/* It is on once it has run. */
		if (pvm_cpu_on(vm, i) ||
		    pvm_hvc(&vm->vcpus[i], HVC_FEATURES, 0, 0, 0) == PVM_HVC_LOST)
			ksft_exit_fail_msg("vCPU %u does not start\n", i);
	}
	for (int i = 0; i < 3; i++)
		model->workarounds[i] = pvm_hvc(vcpu, HVC_ARCH_FEATURES, fuzz_workaround_ids[i],
						0, 0);
	if (pvm_command(vcpu, PVM_FILL, BATCH_IPA, 0, pages, FUZZ_PAGE) ||
	    pvm_range(vcpu, HVC_MEM_SHARE, BATCH_IPA, pages) < 0 ||
	    pvm_range(vcpu, HVC_RGUARD_MAP, PVM_CHANNEL_IPA, channels) < 0 ||
	    pvm_store(vcpu, FUZZ_WALL_IPA, 1))
		ksft_exit_fail_msg("the guest cannot set up its memory\n");

	fuzz_model_set(model, PVM_CODE_IPA, 1, FUZZ_OWNED);
	fuzz_model_set(model, FUZZ_WALL_IPA, 1, FUZZ_OWNED);
	fuzz_model_set(model, BATCH_IPA, pages, FUZZ_SHARED);
	fuzz_model_set(model, PVM_CHANNEL_IPA, channels, FUZZ_GUARDED);
	if (fuzz_windows_create(&fuzz->windows, vm, model))
		ksft_exit_fail_msg("cannot make windows\n");
}

int main(int argc, char *argv[])
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL);
	uint64_t calls = argc > 2 ? strtoull(argv[2], NULL, 0) : DEFAULT_CALLS;
	static struct fuzz fuzz;
	struct counts before;

	ksft_print_header();
	if (!pvm_host_is_protected())
		ksft_exit_skip("the host is not protected\n");
	if (argc > 3 || !calls)
		ksft_exit_fail_msg("usage: fuzz_guest [SEED [CALLS]]\n");
	ksft_set_plan(6 + FUZZ_KINDS);
	ksft_print_msg("fuzz_guest %#lx %lu\n", seed, calls);

	fuzz.random = seed;
	fuzz.log = pvm_log_open();
	fuzz.model.granules = map(FUZZ_GRANULES);
	fuzz.asked = map(BATCH_SIZE);
	fuzz.batch = map(BATCH_SIZE);
	fuzz.data = map(DATA_SIZE);
	make_guest(&fuzz);
	read_counts(&fuzz, &before);
	ksft_test_result(go(&fuzz, calls), "calls_follow_the_model\n");
	ksft_print_msg("%lu calls; granules: %lu owned, %lu shared, %lu guarded, %lu returned\n",
		       fuzz.calls, fuzz.model.owned, fuzz.model.shared, fuzz.model.guarded,
		       fuzz.model.relinquished);
	ksft_print_msg("%lu faults in windows, %lu pages offered and %lu refused\n",
		       fuzz.model.window_faults, fuzz.windows.shown, fuzz.windows.refused);
	ksft_test_result(fuzz.model.window_faults && fuzz.windows.shown && fuzz.windows.refused,
			 "windows_come_and_go\n");
	ksft_test_result(read_all(&fuzz), "the_guest_has_what_it_wrote\n");
	pvm_free(&fuzz.vm);
	ksft_test_result(check_counts(&fuzz, &before), "calls_are_counted\n");
	ksft_test_result(check_totals(), "totals_add_up\n");
	ksft_test_result(fuzz.log >= 0 && !pvm_log_complains(fuzz.log),
			 "the_host_does_not_complain\n");
	for (int kind = 0; kind < FUZZ_KINDS; kind++) {
		ksft_print_msg("%s: %lu calls, %lu succeeded\n", kind_names[kind],
			       fuzz.model.calls[kind], fuzz.model.succeeded[kind]);
		/* A kind without a successful call was not tested. */
		ksft_test_result(kind == FUZZ_UNKNOWN ? fuzz.model.calls[kind] :
				 fuzz.model.succeeded[kind], "%s_calls\n", kind_names[kind]);
	}
	ksft_finished();
}
