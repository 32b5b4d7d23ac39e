// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: the UART behaves as 16550 drivers expect; whatever a guest does to its registers, the
 * FIFO is not overrun and the interrupt line follows the registers.
 */
#include "test.h"

#include <linux/serial_reg.h>

#include "uart.h"

struct fixture {
	struct uart uart;
	uint8_t sent[256];
	unsigned int nr_sent;
	unsigned int nr_drained;
	unsigned int spi;
	bool line;
};

static void transmit(void *opaque, uint8_t byte)
{
	struct fixture *f = opaque;

	f->sent[f->nr_sent++ % sizeof(f->sent)] = byte;
}

static void drained(void *opaque)
{
	((struct fixture *)opaque)->nr_drained++;
}

static void set_line(void *opaque, unsigned int spi, bool level)
{
	struct fixture *f = opaque;

	/* The controller is called only when the level changes. */
	assert_true(f->line != level);
	f->line = level;
	f->spi = spi;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->uart.irq.set = set_line;
	f->uart.irq.controller = f;
	f->uart.irq.spi = 5;
	f->uart.transmit = transmit;
	f->uart.drained = drained;
	f->uart.opaque = f;
	uart_init(&f->uart);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static uint8_t get(struct fixture *f, uint64_t offset)
{
	return uart_read(&f->uart, offset, 1);
}

static void put(struct fixture *f, uint64_t offset, uint8_t value)
{
	uart_write(&f->uart, offset, 1, value);
}

static void receive(struct fixture *f, const char *bytes)
{
	assert_int_equal(uart_receive(&f->uart, (const uint8_t *)bytes, strlen(bytes)),
			 strlen(bytes));
}

static void test_transmit(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(get(f, UART_LSR), UART_LSR_TEMT | UART_LSR_THRE);
	put(f, UART_TX, 'a');
	put(f, UART_TX, 'b');
	assert_int_equal(f->nr_sent, 2);
	assert_memory_equal(f->sent, "ab", 2);
	assert_false(f->line);
}

static void test_receive(void **state)
{
	struct fixture *f = *state;

	receive(f, "xy");
	assert_true(get(f, UART_LSR) & UART_LSR_DR);
	assert_int_equal(get(f, UART_RX), 'x');
	assert_int_equal(get(f, UART_RX), 'y');
	assert_false(get(f, UART_LSR) & UART_LSR_DR);
	assert_int_equal(get(f, UART_RX), 0);
}

/* With DLAB set, the first two registers are the divisor. */
static void test_divisor(void **state)
{
	struct fixture *f = *state;

	receive(f, "x");
	put(f, UART_IER, UART_IER_MSI);
	put(f, UART_LCR, UART_LCR_DLAB | UART_LCR_WLEN8);
	put(f, UART_DLL, 0x34);
	put(f, UART_DLM, 0x12);
	assert_int_equal(get(f, UART_DLL), 0x34);
	assert_int_equal(get(f, UART_DLM), 0x12);
	assert_int_equal(f->nr_sent, 0);
	put(f, UART_LCR, UART_LCR_WLEN8);
	assert_int_equal(get(f, UART_IER), UART_IER_MSI);
	assert_int_equal(get(f, UART_RX), 'x');
}

static void test_receive_interrupt(void **state)
{
	struct fixture *f = *state;

	receive(f, "x");
	assert_false(f->line);
	put(f, UART_IER, UART_IER_RDI);
	assert_true(f->line);
	assert_int_equal(f->spi, 5);
	assert_int_equal(get(f, UART_IIR) & UART_IIR_ID, UART_IIR_RDI);
	assert_true(f->line);
	get(f, UART_RX);
	assert_false(f->line);
	assert_int_equal(get(f, UART_IIR), UART_IIR_NO_INT);
}

/* Enabling THRI raises the interrupt, reading IIR clears it, writing a byte raises it again. */
static void test_transmit_interrupt(void **state)
{
	struct fixture *f = *state;

	put(f, UART_IER, UART_IER_THRI);
	assert_true(f->line);
	assert_int_equal(get(f, UART_IIR), UART_IIR_THRI);
	assert_false(f->line);
	put(f, UART_TX, 'a');
	assert_true(f->line);
	put(f, UART_IER, 0);
	assert_false(f->line);
	put(f, UART_IER, UART_IER_THRI);
	assert_true(f->line);
}

/* IIR reports input before output. Reading it must not lose the output interrupt. */
static void test_interrupt_priority(void **state)
{
	struct fixture *f = *state;

	put(f, UART_IER, UART_IER_THRI | UART_IER_RDI);
	receive(f, "x");
	assert_int_equal(get(f, UART_IIR), UART_IIR_RDI);
	get(f, UART_RX);
	assert_true(f->line);
	assert_int_equal(get(f, UART_IIR), UART_IIR_THRI);
	assert_false(f->line);
}

/* The way by which drivers recognise a 16550A. */
static void test_fifo_detection(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(get(f, UART_IIR) & 0xc0, 0);
	put(f, UART_FCR, UART_FCR_ENABLE_FIFO);
	assert_int_equal(get(f, UART_IIR) & 0xc0, 0xc0);
	receive(f, "abc");
	put(f, UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR);
	assert_false(get(f, UART_LSR) & UART_LSR_DR);
	receive(f, "abc");
	put(f, UART_FCR, 0);
	assert_false(get(f, UART_LSR) & UART_LSR_DR);
}

/* The way by which drivers check that there is a UART. */
static void test_loopback(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(get(f, UART_MSR), UART_MSR_CTS | UART_MSR_DSR | UART_MSR_DCD);
	put(f, UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2 | UART_MCR_RTS);
	assert_int_equal(get(f, UART_MSR), UART_MSR_DCD | UART_MSR_CTS);
	put(f, UART_MCR, UART_MCR_LOOP | UART_MCR_OUT1 | UART_MCR_DTR);
	assert_int_equal(get(f, UART_MSR), UART_MSR_RI | UART_MSR_DSR);
	put(f, UART_TX, 'l');
	assert_int_equal(f->nr_sent, 0);
	assert_int_equal(get(f, UART_RX), 'l');
}

/* In loop-back mode a full FIFO drops the byte and reports the overrun once. */
static void test_loopback_overrun(void **state)
{
	struct fixture *f = *state;
	unsigned int i;

	put(f, UART_MCR, UART_MCR_LOOP);
	put(f, UART_IER, UART_IER_RLSI);
	for (i = 0; i < UART_FIFO_SIZE; i++)
		put(f, UART_TX, i);
	assert_false(f->line);
	put(f, UART_TX, 0xee);
	assert_true(f->line);
	assert_int_equal(get(f, UART_IIR), UART_IIR_RLSI);
	assert_true(get(f, UART_LSR) & UART_LSR_OE);
	assert_false(f->line);
	assert_false(get(f, UART_LSR) & UART_LSR_OE);
	for (i = 0; i < UART_FIFO_SIZE; i++)
		assert_int_equal(get(f, UART_RX), i);
	assert_false(get(f, UART_LSR) & UART_LSR_DR);
}

/* No input is lost: @drained is called when there is room again. */
static void test_back_pressure(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[UART_FIFO_SIZE + 3];
	unsigned int i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = i;
	assert_int_equal(uart_room(&f->uart), UART_FIFO_SIZE);
	assert_int_equal(uart_receive(&f->uart, bytes, sizeof(bytes)), UART_FIFO_SIZE);
	assert_int_equal(uart_room(&f->uart), 0);
	assert_int_equal(f->nr_drained, 0);
	assert_int_equal(get(f, UART_RX), 0);
	assert_int_equal(f->nr_drained, 1);
	assert_int_equal(get(f, UART_RX), 1);
	assert_int_equal(f->nr_drained, 1);
	assert_int_equal(uart_receive(&f->uart, bytes + UART_FIFO_SIZE, 3), 2);
	for (i = 2; i < UART_FIFO_SIZE + 2; i++)
		assert_int_equal(get(f, UART_RX), i);
	assert_int_equal(f->nr_drained, 2);
	put(f, UART_FCR, UART_FCR_CLEAR_RCVR);
	assert_int_equal(f->nr_drained, 2);
}

static void test_clearing_the_fifo_makes_room(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[UART_FIFO_SIZE] = { };

	uart_receive(&f->uart, bytes, sizeof(bytes));
	assert_int_equal(uart_room(&f->uart), 0);
	put(f, UART_FCR, UART_FCR_CLEAR_RCVR);
	assert_int_equal(f->nr_drained, 1);
}

static void test_scratch_and_unknown(void **state)
{
	struct fixture *f = *state;

	put(f, UART_SCR, 0xa5);
	assert_int_equal(get(f, UART_SCR), 0xa5);
	assert_int_equal(get(f, 8), 0xff);
	put(f, 8, 1);
	put(f, UART_LSR, 0xff);
	put(f, UART_MSR, 0xff);
	put(f, UART_IER, 0xff);
	assert_int_equal(get(f, UART_IER), 0x0f);
	put(f, UART_MCR, 0xff);
	assert_int_equal(get(f, UART_MCR), 0x1f);
	assert_int_equal(get(f, UART_LSR), UART_LSR_TEMT | UART_LSR_THRE);
}

/* A wide access is an access to the register at its offset. */
static void test_wide_access(void **state)
{
	struct fixture *f = *state;

	uart_write(&f->uart, UART_TX, 4, 0x44434241);
	assert_int_equal(f->nr_sent, 1);
	assert_int_equal(f->sent[0], 'A');
	assert_int_equal(uart_read(&f->uart, UART_LSR, 4), UART_LSR_TEMT | UART_LSR_THRE);
}

/* The interrupt line follows IIR for any accesses in any order; set_line() checks that too. */
static void test_random_accesses(void **state)
{
	struct fixture *f = *state;
	unsigned int i;

	srand(2);
	for (i = 0; i < 200000; i++) {
		switch (rand() % 3) {
		case 0:
			get(f, rand() % 8);
			break;
		case 1:
			put(f, rand() % 8, rand());
			break;
		default:
			uart_receive(&f->uart, (const uint8_t *)"input", rand() % 5);
			break;
		}
		assert_true(f->uart.fifo_count <= UART_FIFO_SIZE);
	}
	put(f, UART_LCR, 0);
	put(f, UART_IER, 0);
	assert_false(f->line);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct cmocka_test tests[] = {
		TEST(test_transmit),
		TEST(test_receive),
		TEST(test_divisor),
		TEST(test_receive_interrupt),
		TEST(test_transmit_interrupt),
		TEST(test_interrupt_priority),
		TEST(test_fifo_detection),
		TEST(test_loopback),
		TEST(test_loopback_overrun),
		TEST(test_back_pressure),
		TEST(test_clearing_the_fifo_makes_room),
		TEST(test_scratch_and_unknown),
		TEST(test_wide_access),
		TEST(test_random_accesses),
	};

	return cmocka_run_group_tests_name("uart", tests, NULL, NULL);
}
