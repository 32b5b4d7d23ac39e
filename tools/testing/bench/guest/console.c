// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's console, the VMM's 16550, and the ways to end the VM.
 */
#include <linux/psci.h>

#include "guest.h"

void console_text(const char *text)
{
	while (*text)
		time_store(*text++, UART_BASE);
}

void console_number(u64 value)
{
	char digits[21];
	char *at = digits + sizeof(digits);

	*--at = '\0';
	do {
		*--at = '0' + value % 10;
		value /= 10;
	} while (value);
	console_text(at);
}

void console_hex(u64 value)
{
	char digits[17];
	char *at = digits + sizeof(digits);

	*--at = '\0';
	do {
		*--at = "0123456789abcdef"[value & 0xf];
		value >>= 4;
	} while (value);
	console_text("0x");
	console_text(at);
}

static noreturn void psci_end(u64 function)
{
	u64 regs[4] = { function };

	time_hvc(regs);
	/* Neither of the two calls returns. */
	for (;;)
		asm volatile("wfi");
}

void guest_off(void)
{
	psci_end(PSCI_0_2_FN_SYSTEM_OFF);
}

void guest_fail(const char *what, u64 value)
{
	console_text("bench: error: ");
	console_text(what);
	console_text(" ");
	console_hex(value);
	console_text("\n");
	psci_end(PSCI_0_2_FN_SYSTEM_RESET);
}

/* Runs on the stack of the interrupted code, to which it does not return. */
void guest_exception(u64 esr, u64 elr, u64 far)
{
	console_text("bench: error: exception, esr ");
	console_hex(esr);
	console_text(" elr ");
	console_hex(elr);
	console_text(" far ");
	console_hex(far);
	console_text("\n");
	psci_end(PSCI_0_2_FN_SYSTEM_RESET);
}
