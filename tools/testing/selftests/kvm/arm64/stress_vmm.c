// SPDX-License-Identifier: GPL-2.0-only
/*
 * One VMM of the stress test. Its vCPUs access, share and unshare pages at random: each vCPU its
 * own pages, whose contents it checks, and some pages that all of them use at once. The test may
 * kill the VMM at any moment. See stress.h.
 *
 * R2: guest and host can both access a shared page, and only the guest a private page. R3: a page
 * keeps its contents when the host donates it. R5: EL2 does or refuses each of the racing calls.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/compiler.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pvm.h"
#include "stress.h"

/* The pages of each vCPU, and those of all vCPUs: few, so that each is used often. */
#define OWN_PAGES	12
#define COMMON_PAGES	8
/* The number of operations of each vCPU, after which the VMM ends. */
#define OPERATIONS	400
/* How often a command may fail with an error that memory pressure explains. */
#define MAX_RETRIES	1000

enum page_state {
	UNTOUCHED,
	PRIVATE,
	SHARED,
};

struct page {
	enum page_state state;
	uint64_t value;
};

struct worker {
	const struct stress_vm *config;
	struct pvm_vcpu *vcpu;
	uint64_t random;
	int scratch;
	size_t granule;

	/* The first of its own pages in the VM's memory. */
	size_t first;
	struct page pages[OWN_PAGES];

	/* The first of the pages of all vCPUs. */
	size_t common;

	const char *problem;
};

/**
 * stress_random() - Get the next random number
 * @state: the state of the sequence; any value starts one.
 *
 * For one thread at a time on a @state.
 *
 * Return: a number of 64 bits.
 */
uint64_t stress_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15UL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9UL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebUL;
	return z ^ (z >> 31);
}

static uint64_t ipa_of(const struct worker *w, size_t page)
{
	return PVM_DATA_IPA + page * w->granule;
}

static uint64_t *host_of(const struct worker *w, size_t page)
{
	return (uint64_t *)(w->vcpu->vm->data + page * w->granule);
}

static uint64_t tagged(struct worker *w, uint64_t tag)
{
	return tag | (stress_random(&w->random) & ~STRESS_TAG_MASK);
}

/* Do a command, with retries if the host is short of memory. */
static int command(struct worker *w, uint64_t command, uint64_t arg0, uint64_t arg1, uint64_t arg2)
{
	int err = pvm_command(w->vcpu, command, arg0, arg1, arg2, 0);

	for (int i = 0; i < MAX_RETRIES && err == -ENOMEM; i++) {
		usleep(1000);
		err = pvm_run(w->vcpu);
	}
	if (err)
		printf("# vCPU %u, number %lu of %#lx, %#lx: %s\n", w->vcpu->index, command, arg0,
		       arg1, strerror(-err));
	return err;
}

static const char *guest_store(struct worker *w, size_t page, uint64_t value)
{
	if (command(w, PVM_STORE, ipa_of(w, page), value, 0))
		return "the guest could not store";
	w->config->counts->stores++;
	return NULL;
}

static const char *guest_check(struct worker *w, size_t page, uint64_t expected)
{
	if (command(w, PVM_LOAD, ipa_of(w, page), 0, 0))
		return "the guest could not load";
	if (w->vcpu->results[0] != expected) {
		printf("# page %zu: %#lx instead of %#lx\n", page, w->vcpu->results[0], expected);
		return "the guest read another value than it stored";
	}
	w->config->counts->loads++;
	return NULL;
}

static const char *guest_call(struct worker *w, uint32_t function, size_t page, int64_t *ret)
{
	if (command(w, PVM_HVC, function, ipa_of(w, page), 0))
		return "a hypercall did not return";
	*ret = w->vcpu->results[0];
	if (!w->config->protected && *ret != HVC_NOT_SUPPORTED)
		return "EL2 took a sharing call of a non-protected VM";
	if (w->config->protected && *ret != HVC_SUCCESS && *ret != HVC_INVALID_PARAMETER)
		return "a hypercall was neither done nor refused";
	if (*ret == HVC_INVALID_PARAMETER)
		w->config->counts->refused++;
	return NULL;
}

/* Probe by a system call, since threads cannot have their own SIGSEGV handlers. */
static bool host_may_read(const struct worker *w, size_t page)
{
	ssize_t n = pwrite(w->scratch, host_of(w, page), sizeof(uint64_t), 0);

	if (n < 0)
		w->config->counts->host_denied++;
	return n == sizeof(uint64_t);
}

/* Store a public value in the page, and share it. */
static const char *share(struct worker *w, size_t page, struct page *is)
{
	uint64_t value = tagged(w, STRESS_PUBLIC);
	const char *problem = guest_store(w, page, value);
	int64_t ret;

	if (!problem)
		problem = guest_call(w, HVC_MEM_SHARE, page, &ret);
	if (problem)
		return problem;
	*is = (struct page){ .state = PRIVATE, .value = value };
	if (!w->config->protected)
		return NULL;

	if (ret != HVC_SUCCESS)
		return "a private page could not be shared";
	is->state = SHARED;
	if (READ_ONCE(*host_of(w, page)) != value)
		return "the host cannot read a shared page";
	is->value = tagged(w, STRESS_PUBLIC);
	WRITE_ONCE(*host_of(w, page), is->value);
	w->config->counts->shares++;
	return NULL;
}

static const char *take_back(struct worker *w, size_t page, struct page *is)
{
	const char *problem;
	int64_t ret;

	problem = guest_call(w, HVC_MEM_UNSHARE, page, &ret);
	if (problem)
		return problem;
	if (ret != HVC_SUCCESS)
		return "a shared page could not be unshared";
	is->state = PRIVATE;
	if (host_may_read(w, page))
		return "the host can read a page that is private again";
	w->config->counts->unshares++;

	is->value = tagged(w, STRESS_SECRET);
	return guest_store(w, page, is->value);
}

/* Make a call that EL2 must refuse in this state of the page, and check the contents. */
static const char *call_in_vain(struct worker *w, size_t page, struct page *is)
{
	uint32_t function = is->state == SHARED ? HVC_MEM_SHARE : HVC_MEM_UNSHARE;
	const char *problem;
	int64_t ret;

	problem = guest_call(w, function, page, &ret);
	if (problem)
		return problem;
	if (ret == HVC_SUCCESS)
		return "a hypercall succeeded in the wrong state of the page";
	/* The host may have donated the page, with its contents. */
	return guest_check(w, page, is->value);
}

/* The host tries to read a page, which must fail for a private page and else succeed. */
static const char *look(struct worker *w, size_t page, struct page *is)
{
	bool may = host_may_read(w, page);

	if (w->config->protected && is->state == PRIVATE)
		return may ? "the host can read a private page" : NULL;
	/* A fault on a page beside it donates an untouched page, too, if it is populated. */
	if (w->config->protected && is->state == UNTOUCHED && !may) {
		is->state = PRIVATE;
		return NULL;
	}
	if (!may)
		return "the host cannot read its own page";
	if (READ_ONCE(*host_of(w, page)) != is->value)
		return "the host read another value than was stored";
	return NULL;
}

static const char *page_out(struct worker *w)
{
	size_t from = stress_random(&w->random) % OWN_PAGES;

	/* Pinned pages stay. EINVAL: the kernel cannot page out this mapping now. */
	if (madvise(host_of(w, w->first + from), (OWN_PAGES - from) * w->granule,
		    MADV_PAGEOUT) && errno != EINVAL)
		return "madvise() failed";
	w->config->counts->paged_out++;
	return NULL;
}

/* Use a page of all vCPUs, which never has a secret. Any result of the call is right. */
static const char *fight(struct worker *w)
{
	size_t page = w->common + stress_random(&w->random) % COMMON_PAGES;
	int64_t ret;

	switch (stress_random(&w->random) % 4) {
	case 0:
		return guest_store(w, page, tagged(w, STRESS_PUBLIC));
	case 1:
		return guest_call(w, HVC_MEM_SHARE, page, &ret);
	case 2:
		return guest_call(w, HVC_MEM_UNSHARE, page, &ret);
	default:
		host_may_read(w, page);
		return NULL;
	}
}

static const char *operate(struct worker *w)
{
	uint64_t what = stress_random(&w->random) % 16;
	size_t index = stress_random(&w->random) % OWN_PAGES;
	struct page *is = &w->pages[index];
	size_t page = w->first + index;
	const char *problem;

	switch (what) {
	case 0 ... 2:
		is->value = tagged(w, is->state == SHARED ? STRESS_PUBLIC : STRESS_SECRET);
		problem = guest_store(w, page, is->value);
		break;
	case 3 ... 4:
		problem = guest_check(w, page, is->value);
		break;
	case 5 ... 9:
		return is->state == SHARED ? take_back(w, page, is) : share(w, page, is);
	case 10:
		problem = call_in_vain(w, page, is);
		break;
	case 11 ... 12:
		return look(w, page, is);
	case 13 ... 14:
		return fight(w);
	default:
		return page_out(w);
	}

	/* The guest has accessed the page by now. */
	if (is->state == UNTOUCHED)
		is->state = PRIVATE;
	return problem;
}

static void *work(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < OPERATIONS && !w->problem; i++)
		w->problem = operate(w);
	return NULL;
}

static int init_worker(struct worker *w, const struct stress_vm *config, struct pvm *vm,
		       unsigned int index)
{
	size_t share = STRESS_VM_SIZE / getpagesize() / (STRESS_VCPUS + 1);

	w->config = config;
	w->vcpu = &vm->vcpus[index];
	w->random = config->seed + index;
	w->granule = getpagesize();
	w->first = index * share;
	w->common = STRESS_VCPUS * share;
	w->scratch = memfd_create("scratch", MFD_CLOEXEC);
	if (w->scratch < 0)
		return -errno;
	for (size_t i = 0; i < OWN_PAGES; i++)
		w->pages[i].value = READ_ONCE(*host_of(w, w->first + i));
	return 0;
}

static uint8_t *map_memory(const struct stress_vm *config)
{
	uint8_t *mem;

	if (config->flags == MAP_SHARED)
		return mmap(NULL, STRESS_VM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			    config->memfd, 0);

	/* Aligned, so that it may be one huge page. */
	mem = mmap(NULL, 2 * STRESS_VM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		   -1, 0);
	if (mem == MAP_FAILED)
		return mem;
	mem += -(uintptr_t)mem % STRESS_VM_SIZE;
	madvise(mem, STRESS_VM_SIZE, MADV_HUGEPAGE);
	for (size_t at = 0; at < STRESS_VM_SIZE; at += getpagesize())
		*(uint64_t *)(mem + at) = STRESS_PLAIN | at;
	return mem;
}

static int add_memory(const struct stress_vm *config, struct pvm *vm)
{
	uint8_t *mem = map_memory(config);

	if (mem == MAP_FAILED)
		return -errno;
	vm->data = mem;
	vm->data_size = STRESS_VM_SIZE;
	return pvm_set_slot(vm, PVM_DATA_SLOT, 0, PVM_DATA_IPA, STRESS_VM_SIZE, mem);
}

/**
 * stress_vmm() - Run a VMM until its vCPUs have done their operations
 * @config: the VM.
 *
 * For a process of its own.
 *
 * Return: 0; or 1 after an error, which it prints.
 */
int stress_vmm(const struct stress_vm *config)
{
	struct worker workers[STRESS_VCPUS] = {};
	pthread_t threads[STRESS_VCPUS];
	struct pvm vm;
	int err;

	err = pvm_create(&vm, config->protected ? KVM_VM_TYPE_ARM_PROTECTED : 0, STRESS_VCPUS, 0);
	if (!err)
		err = add_memory(config, &vm);
	for (unsigned int i = 0; i < STRESS_VCPUS && !err; i++)
		err = init_worker(&workers[i], config, &vm, i);
	for (unsigned int i = 1; i < STRESS_VCPUS && !err; i++)
		err = pvm_cpu_on(&vm, i);
	for (unsigned int i = 0; i < STRESS_VCPUS && !err; i++)
		err = -pthread_create(&threads[i], NULL, work, &workers[i]);
	if (err) {
		printf("# a VM could not be made: %s\n", strerror(-err));
		return 1;
	}

	for (unsigned int i = 0; i < STRESS_VCPUS; i++) {
		pthread_join(threads[i], NULL);
		if (!workers[i].problem)
			continue;
		printf("# %s VM, vCPU %u: %s\n", config->protected ? "protected" : "np",
		       i, workers[i].problem);
		err = 1;
	}
	return err;
}
