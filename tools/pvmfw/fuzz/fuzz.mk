# SPDX-License-Identifier: GPL-2.0-only
#
# Builds the fuzzers: the firmware's own files, compiled for the build machine with clang's
# libFuzzer and sanitizers. fuzz.py runs them.

F := $(HERE)/fuzz
FUZZ_O := $(O)/fuzz
FUZZ_CC ?= clang

FUZZ_CFLAGS := -std=gnu11 -O1 -g -I$(F) -I$(T) -I$(S) -I$(FDT) -I$(W) \
	$(KERNEL_HEADERS) $(WARN) \
	-Dcmocka_test=CMUnitTest -Dfuzz_one_input=LLVMFuzzerTestOneInput \
	-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FUZZ_LDFLAGS := -fsanitize=fuzzer,address,undefined

# Each fuzzer is a hostile host of its own. The fakes are those of the unit tests, except for
# the PCI bus: fuzz_pci.c and fuzz_blk.c have their own.
FUZZ_NAMES := $(patsubst $(F)/%.c,%,$(wildcard $(F)/fuzz_*.c))
FUZZ_FAKES := fake_hyp.o fake_map.o fake_mmu.o fake_counter.o fake_console.o fake_trace.o fake_sha256.o
FUZZ_FW := $(addprefix $(FUZZ_O)/,$(TEST_FW_C:.c=.o) $(FUZZ_FAKES)) \
	$(addprefix $(FUZZ_O)/libfdt/,$(TEST_FDT_C:.c=.o))
FUZZ_BUS := $(FUZZ_O)/fake_bus.o

.PHONY: fuzz
fuzz: $(addprefix $(FUZZ_O)/,$(FUZZ_NAMES))

$(FUZZ_O)/libfw.a: $(FUZZ_FW)
	$(say) AR $@
	$(Q)rm -f $@ && ar rcs $@ $^

$(FUZZ_O)/fuzz_pci $(FUZZ_O)/fuzz_blk: $(FUZZ_O)/fuzz_%: $(FUZZ_O)/fuzz_%.o $(FUZZ_O)/libfw.a
	$(say) LD $@
	$(Q)$(FUZZ_CC) $(FUZZ_LDFLAGS) -o $@ $^ -lcmocka

$(FUZZ_O)/fuzz_%: $(FUZZ_O)/fuzz_%.o $(FUZZ_O)/libfw.a $(FUZZ_BUS)
	$(say) LD $@
	$(Q)$(FUZZ_CC) $(FUZZ_LDFLAGS) -o $@ $^ -lcmocka

$(FUZZ_O)/%.o: $(F)/%.c $(FUZZ_O)/.toolchain
	$(say) CC $@
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -MD -MP -c -o $@ $<

$(FUZZ_O)/%.o: $(T)/%.c $(FUZZ_O)/.toolchain
	$(say) CC $@
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -MD -MP -c -o $@ $<

$(FUZZ_O)/%.o: $(S)/%.c $(FUZZ_O)/.toolchain
	$(say) CC $@
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -MD -MP -c -o $@ $<

$(FUZZ_O)/%.o: $(W)/%.c $(FUZZ_O)/.toolchain
	$(say) CC $@
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -MD -MP -c -o $@ $<

$(FUZZ_O)/libfdt/%.o: $(FDT)/%.c $(FUZZ_O)/.toolchain
	$(say) CC $@
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -w -MD -MP -c -o $@ $<

$(FUZZ_O)/.toolchain: FORCE
	@mkdir -p $(FUZZ_O)/libfdt
	@echo '$(FUZZ_CC) $(FUZZ_CFLAGS)' | cmp -s - $@ || echo '$(FUZZ_CC) $(FUZZ_CFLAGS)' > $@

-include $(wildcard $(FUZZ_O)/*.d $(FUZZ_O)/libfdt/*.d)
