// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: no character is lost if the transmitter reports when it is empty; it is polled once
 * per FIFO of characters, or once per character without a FIFO; a transmitter that is never
 * ready does not stop the firmware.
 */
#include "fake_bus.h"
#include "testing.h"
#include "uart.h"

#define LENGTH	100

static void start(bool fifo)
{
	memset(&fake_uart, 0, sizeof(fake_uart));
	fake_uart.fifo = fifo;
	uart_init(FAKE_UART);
}

static void send(unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		uart_putc((char)('A' + i % 26));
}

static void check_sent(void)
{
	unsigned int i;

	assert_int_equal(fake_uart.sent, LENGTH);
	assert_int_equal(fake_uart.lost, 0);
	for (i = 0; i < LENGTH; i++)
		assert_int_equal(fake_uart.text[i], 'A' + i % 26);
}

static void polls_once_per_fifo(void **state)
{
	(void)state;
	start(true);
	send(LENGTH);
	check_sent();
	assert_int_equal(fake_uart.polls, (LENGTH + 15) / 16);
}

static void polls_without_fifo(void **state)
{
	(void)state;
	start(false);
	send(LENGTH);
	check_sent();
	assert_int_equal(fake_uart.polls, LENGTH);
}

/* uart_init() forgets how much room the last FIFO had. */
static void another_uart(void **state)
{
	(void)state;
	start(true);
	send(1);
	start(true);
	send(LENGTH);
	check_sent();
}

static void waits_while_busy(void **state)
{
	(void)state;
	start(true);
	fake_uart.busy = 50;
	send(LENGTH);
	check_sent();
	assert_int_equal(fake_uart.polls, 50 + (LENGTH + 15) / 16);
}

/* The driver waits a bounded time, then loses characters. */
static void never_ready(void **state)
{
	(void)state;
	start(true);
	fake_uart.busy = UINT32_MAX;
	send(17);
	assert_int_equal(fake_uart.sent, 0);
	assert_int_equal(fake_uart.lost, 17);
	assert_in_range(fake_uart.polls, 2, 100000);
}

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test(polls_once_per_fifo),
		cmocka_unit_test(polls_without_fifo),
		cmocka_unit_test(another_uart),
		cmocka_unit_test(waits_while_busy),
		cmocka_unit_test(never_ready),
	};

	return cmocka_run_group_tests_name("pvmfw uart", tests, NULL, NULL);
}
