# SPDX-License-Identifier: GPL-2.0-only
#
# The fuzzing harnesses: the firmware's own files with clang's libFuzzer and
# sanitizers, for the build machine. fuzz.py runs them.

F := $(HERE)/fuzz
FO := $(O)/fuzz
FUZZ_CC ?= clang

FUZZ_CFLAGS := -std=gnu11 -O1 -g -I$(F) -I$(T) -I$(S) -I$(FDT) $(WARN) \
	-Dcmocka_test=CMUnitTest \
	-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FUZZ_LDFLAGS := -fsanitize=fuzzer,address,undefined

# Each harness plays the host in a way of its own; the rest is what the unit
# tests use, but for the bus, which fuzz_pci.c is itself.
FUZZ_NAMES := $(patsubst $(F)/%.c,%,$(wildcard $(F)/fuzz_*.c))
FUZZ_FW := $(addprefix $(FO)/,$(TEST_FW_C:.c=.o) fake_hyp.o fake_mmu.o fake_clock.o \
	fake_console.o) $(addprefix $(FO)/libfdt/,$(TEST_FDT_C:.c=.o))
FUZZ_BUS := $(FO)/fake_bus.o

.PHONY: fuzz
fuzz: $(addprefix $(FO)/,$(FUZZ_NAMES))

$(FO)/libfw.a: $(FUZZ_FW)
	$(say) AR $@
	$(Q)rm -f $@ && ar rcs $@ $^

$(FO)/fuzz_pci: $(FO)/fuzz_pci.o $(FO)/libfw.a
	$(say) LD $@
	$(Q)$(FUZZ_CC) $(FUZZ_LDFLAGS) -o $@ $^ -lcmocka

$(FO)/fuzz_%: $(FO)/fuzz_%.o $(FO)/libfw.a $(FUZZ_BUS)
	$(say) LD $@
	$(Q)$(FUZZ_CC) $(FUZZ_LDFLAGS) -o $@ $^ -lcmocka

$(FO)/%.o: $(F)/%.c $(FO)/.toolchain
	$(say) CC $@
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -MMD -MP -c -o $@ $<

$(FO)/%.o: $(T)/%.c $(FO)/.toolchain
	$(say) CC $@
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -MMD -MP -c -o $@ $<

$(FO)/%.o: $(S)/%.c $(FO)/.toolchain
	$(say) CC $@
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -MMD -MP -c -o $@ $<

$(FO)/libfdt/%.o: $(FDT)/%.c $(FO)/.toolchain
	$(say) CC $@
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -w -MMD -MP -c -o $@ $<

$(FO)/.toolchain: FORCE
	@mkdir -p $(FO)/libfdt
	@echo '$(FUZZ_CC) $(FUZZ_CFLAGS)' | cmp -s - $@ || echo '$(FUZZ_CC) $(FUZZ_CFLAGS)' > $@

-include $(wildcard $(FO)/*.d $(FO)/libfdt/*.d)
