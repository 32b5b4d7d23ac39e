// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: no character is lost while the transmitter says when it has room; it is asked once
 * for each FIFO of them, or for each one if there is no FIFO; one that never has room
 * stops nothing.
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

static void asks_once_per_fifo(void **state)
{
	(void)state;
	start(true);
	send(LENGTH);
	check_sent();
	assert_int_equal(fake_uart.polls, (LENGTH + 15) / 16);
}

static void asks_each_time(void **state)
{
	(void)state;
	start(false);
	send(LENGTH);
	check_sent();
	assert_int_equal(fake_uart.polls, LENGTH);
}

/* What was left of another FIFO does not count. */
static void another_uart(void **state)
{
	(void)state;
	start(true);
	send(1);
	start(true);
	send(LENGTH);
	check_sent();
}

static void waits(void **state)
{
	(void)state;
	start(true);
	fake_uart.busy = 50;
	send(LENGTH);
	check_sent();
	assert_int_equal(fake_uart.polls, 50 + (LENGTH + 15) / 16);
}

/* For a bounded time: characters are lost, and that is all. */
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
		cmocka_unit_test(asks_once_per_fifo),
		cmocka_unit_test(asks_each_time),
		cmocka_unit_test(another_uart),
		cmocka_unit_test(waits),
		cmocka_unit_test(never_ready),
	};

	return cmocka_run_group_tests_name("pvmfw uart", tests, NULL, NULL);
}
