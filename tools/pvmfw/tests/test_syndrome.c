// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: only a translation fault of a load or store at EL1, with a known address, is taken
 * for the first access to a page of a device; the names of classes, kinds and accesses are
 * those of the architecture.
 *
 * The numbers are from the Arm ARM, not from syndrome.c.
 */
#include "syndrome.h"
#include "testing.h"

#define EC(ec)	((u64)(ec) << 26)
#define DABT	EC(0x25)
#define IL	0x2000000u
#define WNR	0x40u
#define S1PTW	0x80u
#define CM	0x100u
#define EA	0x200u
#define FNV	0x400u

/* All classes and fault status codes, for reads and writes. */
static void untranslated(void **state)
{
	u64 ec, fsc;

	(void)state;
	for (ec = 0; ec < 64; ec++) {
		for (fsc = 0; fsc < 64; fsc++) {
			bool is = ec == 0x25 && (fsc == 4 || fsc == 5 || fsc == 6 || fsc == 7);

			assert_int_equal(syndrome_is_untranslated(EC(ec) | IL | fsc), is);
			assert_int_equal(syndrome_is_untranslated(EC(ec) | IL | WNR | fsc), is);
			assert_false(syndrome_is_untranslated(EC(ec) | FNV | fsc));
			assert_false(syndrome_is_untranslated(EC(ec) | CM | WNR | fsc));
		}
	}
	/* Bits above the lower 32 (ISS2) do not matter. */
	assert_true(syndrome_is_untranslated(1ull << 32 | DABT | 7));
}

static void accesses(void **state)
{
	(void)state;
	assert_string_equal(syndrome_access(DABT | 7), "read");
	assert_string_equal(syndrome_access(DABT | WNR | 7), "write");
	assert_string_equal(syndrome_access(EC(0x21) | 0xf), "execute");
	/* Aborts from EL0, and exceptions that are not aborts. */
	assert_null(syndrome_access(EC(0x24) | WNR | 7));
	assert_null(syndrome_access(EC(0x20) | 7));
	assert_null(syndrome_access(0));
	assert_null(syndrome_access(EC(0x2f)));
}

static void names(void **state)
{
	static const struct {
		u64 esr;
		const char *class, *fault;
	} cases[] = {
		{ DABT | 0, "data abort", "address size fault" },
		{ DABT | 3, "data abort", "address size fault" },
		{ DABT | 4, "data abort", "translation fault" },
		{ DABT | 7, "data abort", "translation fault" },
		{ DABT | 8, "data abort", "access flag fault" },
		{ DABT | WNR | 0xf, "data abort", "permission fault" },
		{ DABT | FNV | EA | 0x10, "data abort", "external abort" },
		{ DABT | S1PTW | 0x17, "data abort", "external abort on a table walk" },
		{ DABT | 0x21, "data abort", "alignment fault" },
		{ DABT | 0x30, "data abort", "TLB conflict" },
		{ DABT | 0x3f, "data abort", "other fault" },
		{ EC(0x21) | 0xd, "instruction abort", "permission fault" },
	};
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_string_equal(syndrome_class(cases[i].esr), cases[i].class);
		assert_string_equal(syndrome_fault(cases[i].esr), cases[i].fault);
	}
	assert_string_equal(syndrome_class(IL), "unknown or undefined instruction");
	assert_string_equal(syndrome_class(EC(0x3c) | 1), "BRK");
	assert_string_equal(syndrome_class(EC(0x3f)), "unexpected class");
}

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test(untranslated),
		cmocka_unit_test(accesses),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests_name("pvmfw syndrome", tests, NULL, NULL);
}
