# SPDX-License-Identifier: GPL-2.0-only
#
# Builds and runs the unit tests: the firmware's own files, compiled for the build machine
# with sanitizers, with a fake hypervisor, fake devices and a fake counter. Each program
# prints TAP.

T := $(HERE)/tests
TO := $(O)/tests
TEST_CC ?= gcc

# -Dcmocka_test: checkpatch does not accept cmocka's own name for the type.
TEST_CFLAGS := -std=gnu11 -O1 -g -I$(T) -I$(S) -I$(FDT) -I$(W) \
	$(KERNEL_HEADERS) $(WARN) -Dcmocka_test=CMUnitTest \
	-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
# --wrap: fake_alloc.c makes allocations fail.
TEST_LDFLAGS := -fsanitize=address,undefined -Wl,--wrap=buddy_alloc,--wrap=buddy_zalloc

# Fakes replace these files, which cannot run natively, and fw_jump().
TEST_FW_C := $(filter-out main.c exception.c console.c mmu.c mmio.c counter.c canary.c \
	sha256_hw.c,$(FW_C)) fdt_writer.c
TEST_FDT_C := $(FDT_C) fdt_rw.c fdt_wip.c fdt_strerror.c
TEST_NAMES := $(patsubst $(T)/%.c,%,$(wildcard $(T)/test_*.c))
TEST_BINS := $(addprefix $(TO)/,$(TEST_NAMES))
TEST_LIB := $(addprefix $(TO)/,$(TEST_FW_C:.c=.o)) \
	$(patsubst $(T)/%.c,$(TO)/%.o,$(wildcard $(T)/fake_*.c)) \
	$(addprefix $(TO)/libfdt/,$(TEST_FDT_C:.c=.o))

.SECONDARY:

test: $(TEST_BINS)
	$(Q)status=0; for t in $(TEST_BINS); do \
		CMOCKA_MESSAGE_OUTPUT=TAP $$t || status=1; \
	done; exit $$status

$(TO)/test_%: $(TO)/test_%.o $(TEST_LIB)
	$(say) LD $@
	$(Q)$(TEST_CC) $(TEST_LDFLAGS) -o $@ $^ -lcmocka

# The unit tests use the same device trees as the fuzzer.
CROSVM := crosvm crosvm-joined crosvm-apart
CROSVM_DTB := $(CROSVM:%=$(TO)/%.dtb)
$(TO)/%.dtb: $(HERE)/fuzz/seeds/devtree-%.dtsrc $(TO)/.toolchain
	$(say) DTC $@
	$(Q)dtc -q -I dts -O dtb -o $@ $<

$(TO)/test_crosvm: $(TO)/crosvm_tree.o
$(TO)/crosvm_tree.o: $(T)/crosvm_tree.S $(CROSVM_DTB)
	$(say) AS $@
	$(Q)$(TEST_CC) -Wa,-I$(TO) -c -o $@ $<

$(TO)/%.o: $(T)/%.c $(TO)/.toolchain
	$(say) CC $@
	$(Q)$(TEST_CC) $(TEST_CFLAGS) -MD -MP -c -o $@ $<

$(TO)/%.o: $(S)/%.c $(TO)/.toolchain
	$(say) CC $@
	$(Q)$(TEST_CC) $(TEST_CFLAGS) -MD -MP -c -o $@ $<

$(TO)/%.o: $(W)/%.c $(TO)/.toolchain
	$(say) CC $@
	$(Q)$(TEST_CC) $(TEST_CFLAGS) -MD -MP -c -o $@ $<

$(TO)/libfdt/%.o: $(FDT)/%.c $(TO)/.toolchain
	$(say) CC $@
	$(Q)$(TEST_CC) $(TEST_CFLAGS) -w -MD -MP -c -o $@ $<

TEST_TOOLCHAIN := $(TEST_CC) $(TEST_CFLAGS)
$(TO)/.toolchain: FORCE
	@mkdir -p $(TO)/libfdt
	@echo '$(TEST_TOOLCHAIN)' | cmp -s - $@ || echo '$(TEST_TOOLCHAIN)' > $@

-include $(wildcard $(TO)/*.d $(TO)/libfdt/*.d)
