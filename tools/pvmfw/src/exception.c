// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exceptions: the first access to a page of a device, and the report of all
 * others.
 */
#include <assert.h>

#include "console.h"
#include "exception.h"
#include "psci.h"

#define ESR_EC(esr)	(((esr) >> 26) & 0x3f)
#define ESR_FSC(esr)	((esr) & 0x3f)
#define ESR_WNR		0x40
#define ESR_FNV		0x400
#define ESR_CM		0x100

#define EC_IABT_CUR	0x21
#define EC_DABT_CUR	0x25

/* The first vector that stands for an exception in the exception handler. */
#define VECTOR_NESTED	4

static_assert(sizeof(struct exception_frame) == 288, "entry.S knows the size of the frame");

static struct guard *current_guard;

static const char *const vector_names[] = { "synchronous", "IRQ", "FIQ", "SError" };

static const char *ec_name(u64 esr)
{
	switch (ESR_EC(esr)) {
	case 0x00: return "unknown or undefined instruction";
	case 0x07: return "access to FP/SIMD";
	case 0x0e: return "illegal execution state";
	case 0x15: return "SVC";
	case 0x16: return "HVC";
	case 0x18: return "trapped system register";
	case 0x20: case EC_IABT_CUR: return "instruction abort";
	case 0x22: return "misaligned PC";
	case 0x24: case EC_DABT_CUR: return "data abort";
	case 0x26: return "misaligned SP";
	case 0x2f: return "SError";
	case 0x3c: return "BRK";
	default: return "unexpected class";
	}
}

static const char *fault_name(u64 esr)
{
	switch (ESR_FSC(esr)) {
	case 0x00 ... 0x03: return "address size fault";
	case 0x04 ... 0x07: return "translation fault";
	case 0x08 ... 0x0b: return "access flag fault";
	case 0x0c ... 0x0f: return "permission fault";
	case 0x10: return "external abort";
	case 0x14 ... 0x17: return "external abort on a table walk";
	case 0x21: return "alignment fault";
	case 0x30: return "TLB conflict";
	default: return "other fault";
	}
}

static void print_registers(const struct exception_frame *f)
{
	unsigned int i;

	for (i = 0; i < 30; i += 3)
		pr_info("x%-2u %016llx  x%-2u %016llx  x%-2u %016llx",
			i, (unsigned long long)f->x[i],
			i + 1, (unsigned long long)f->x[i + 1],
			i + 2, (unsigned long long)f->x[i + 2]);
	pr_info("lr  %016llx  sp  %016llx  pc  %016llx", (unsigned long long)f->x[30],
		(unsigned long long)f->sp, (unsigned long long)f->elr);
	pr_info("esr %016llx  far %016llx  psr %016llx", (unsigned long long)f->esr,
		(unsigned long long)f->far, (unsigned long long)f->spsr);
}

/* A load or store that no valid entry of the page tables translates. */
static bool is_translation_fault(const struct exception_frame *f)
{
	return ESR_EC(f->esr) == EC_DABT_CUR && !(f->esr & (ESR_FNV | ESR_CM)) &&
	       ESR_FSC(f->esr) >= 0x04 && ESR_FSC(f->esr) <= 0x07;
}

static void report(const struct exception_frame *frame, u64 vector, enum fw_status status)
{
	u64 ec = ESR_EC(frame->esr);

	if (status != FW_OK && status != FW_EFAULT)
		pr_error(status, "device at 0x%llx", (unsigned long long)frame->far);
	if (vector == 0 && (ec == EC_DABT_CUR || ec == EC_IABT_CUR))
		pr_info("error: exception: %s, %s on %s at 0x%llx", ec_name(frame->esr),
			fault_name(frame->esr),
			ec == EC_IABT_CUR ? "execute" : frame->esr & ESR_WNR ? "write" : "read",
			(unsigned long long)frame->far);
	else if (vector == 0)
		pr_info("error: exception: %s", ec_name(frame->esr));
	else
		pr_info("error: exception: unexpected %s", vector_names[vector]);
	print_registers(frame);
	pr_info("reset");
}

void exception_set_guard(struct guard *guard)
{
	current_guard = guard;
}

void exception_handle(const struct exception_frame *frame, u64 vector)
{
	enum fw_status status = FW_EFAULT;

	/*
	 * If the handler itself faulted, the console may be what is broken.
	 */
	if (vector < VECTOR_NESTED) {
		if (vector == 0 && current_guard && is_translation_fault(frame))
			status = guard_fault(current_guard, frame->far);
		if (status == FW_OK)
			return;
		report(frame, vector, status);
	}
	psci_system_reset();
	for (;;)
		;
}
