// SPDX-License-Identifier: GPL-2.0-only
/*
 * Handles the first access to a page of a device, and reports every other exception
 * (exception.h).
 */
#include <assert.h>

#include "console.h"
#include "exception.h"
#include "psci.h"
#include "syndrome.h"

/* The first vector of exceptions that happen in the exception handler. */
#define VECTOR_NESTED	4

static_assert(sizeof(struct exception_frame) == 288, "entry.S knows the size of the frame");

static struct guard *current_guard;

static const char *const vector_names[] = { "synchronous", "IRQ", "FIQ", "SError" };

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

static void report(const struct exception_frame *frame, u64 vector, enum fw_status status)
{
	const char *access = syndrome_access(frame->esr);

	if (status != FW_OK && status != FW_EFAULT)
		pr_error(status, "device at 0x%llx", (unsigned long long)frame->far);
	if (vector == 0 && access)
		pr_info("error: exception: %s, %s on %s at 0x%llx", syndrome_class(frame->esr),
			syndrome_fault(frame->esr), access, (unsigned long long)frame->far);
	else if (vector == 0)
		pr_info("error: exception: %s", syndrome_class(frame->esr));
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

	/* Print nothing if the handler itself faulted: the console may have been the cause. */
	if (vector < VECTOR_NESTED) {
		if (vector == 0 && current_guard && syndrome_is_untranslated(frame->esr))
			status = guard_fault(current_guard, frame->far);
		if (status == FW_OK)
			return;
		report(frame, vector, status);
	}
	psci_system_reset();
	for (;;)
		;
}
