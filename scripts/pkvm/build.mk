# SPDX-License-Identifier: GPL-2.0-only
#
# What is built from build/linux and from our programs; run from the top of the
# checkout by the Makefile, after tree.py, under the lock of the build.

MAKEFLAGS += --no-print-directory
S	:= scripts/pkvm
B	:= build
KMAKE	:= $(MAKE) ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-
STEP	:= $(S)/step.py
CONFIGS	:= arch/arm64/configs

.PHONY: all all-16k guest guest-stock test-host FORCE
.DELETE_ON_ERROR:

PROGRAMS := $(if $(wildcard tools/vmm/Makefile),$(B)/vmm) \
	    $(if $(wildcard tools/pvmfw/Makefile),$(B)/pvmfw.bin)
all: $(B)/Image $(PROGRAMS) $(B)/initramfs.cpio.gz $(B)/disk.img

# With pages of 16 KiB.
all-16k: $(B)/Image.16k $(B)/initramfs.cpio.gz
	@:

# The host kernel.
$(B)/host/.config: $(CONFIGS)/pkvm_qemu.config $(B)/linux.stamp
	+@$(S)/config.sh $(B)/host $(CONFIGS)/pkvm_qemu.config

$(B)/Image: $(B)/host/.config $(B)/linux.stamp
	+@$(STEP) 'HOST    $@' $(B)/log/host.log \
		$(KMAKE) -C $(B)/linux O=$(CURDIR)/$(B)/host Image
	@cp $(B)/host/arch/arm64/boot/Image $@

# The same with pages of 16 KiB. It is a guest as well.
FRAGMENTS_16K := $(addprefix $(CONFIGS)/,pkvm_guest.config pkvm_qemu.config pkvm_16k.config)
$(B)/host-16k/.config: $(FRAGMENTS_16K) $(B)/linux.stamp
	+@$(S)/config.sh $(B)/host-16k $(FRAGMENTS_16K)

$(B)/Image.16k: $(B)/host-16k/.config $(B)/linux.stamp
	+@$(STEP) 'HOST    $@' $(B)/log/host-16k.log \
		$(KMAKE) -C $(B)/linux O=$(CURDIR)/$(B)/host-16k Image
	@cp $(B)/host-16k/arch/arm64/boot/Image $@

# The host that tests run on, where EL2 checks itself and the KUnit suites fit. It is
# what build.config.aarch64 says, and so built by clang; the one above is by gcc.
$(B)/test-host/dist/Image: build.config.aarch64 $(CONFIGS)/pkvm_qemu.config \
		$(CONFIGS)/pkvm_kunit.config $(B)/linux.stamp
	+@$(STEP) 'HOST    $(B)/test-host' $(B)/log/test-host.log \
		$(S)/android.sh $(CURDIR)/$(B)/test-host W=1
	@touch $@

# The same host with every check that the kernel has, and allocations that fail on request.
$(B)/debug-host/.config: $(CONFIGS)/pkvm_qemu.config $(CONFIGS)/pkvm_debug.config $(B)/linux.stamp
	+@$(S)/config.sh $(B)/debug-host $(CONFIGS)/pkvm_qemu.config $(CONFIGS)/pkvm_debug.config

$(B)/debug-host/Image: $(B)/debug-host/.config $(B)/linux.stamp
	+@$(STEP) 'HOST    $(B)/debug-host' $(B)/log/debug-host.log \
		$(KMAKE) -C $(B)/linux O=$(CURDIR)/$(B)/debug-host Image
	@cp $(B)/debug-host/arch/arm64/boot/Image $@

test-host: $(B)/test-host/dist/Image
	@:

# Programs. They know their own dependencies; a copy that is equal stays as old
# as it is, so that nothing behind it is built again.
INSTALL	= cmp -s $(1) $(2) || cp $(1) $(2)

$(B)/vmm: FORCE $(B)/linux.stamp
	+@$(STEP) 'VMM     $@' $(B)/log/vmm.log $(MAKE) -C tools/vmm \
		O=$(CURDIR)/$(B)/vmm-obj KSRC=$(CURDIR)/$(B)/linux
	@$(call INSTALL,$(B)/vmm-obj/vmm,$@)

$(B)/pvmfw.bin: FORCE $(B)/linux.stamp
	+@$(STEP) 'PVMFW   $@' $(B)/log/pvmfw.log $(MAKE) -C tools/pvmfw \
		O=$(CURDIR)/$(B)/pvmfw-obj KSRC=$(CURDIR)/$(B)/linux
	@$(call INSTALL,$(B)/pvmfw-obj/pvmfw.bin,$@)

# A stand-in for the firmware of the secure world, for tests.
$(B)/spmc.bin: FORCE
	+@$(STEP) 'SPMC    $@' $(B)/log/spmc.log $(MAKE) -C tools/testing/spmc \
		O=$(CURDIR)/$(B)/spmc-obj
	@$(call INSTALL,$(B)/spmc-obj/spmc.bin,$@)

$(B)/init: FORCE
	+@$(STEP) 'INIT    $@' $(B)/log/init.log $(MAKE) -C tools/testing/init \
		O=$(CURDIR)/$(B)/init-obj
	@$(call INSTALL,$(B)/init-obj/init,$@)

# The host's root. gen_init_cpio is the kernel's own, for device nodes without root.
$(B)/gen_init_cpio: $(B)/linux/usr/gen_init_cpio.c
	@$(CC) -O2 -o $@ $<

$(B)/initramfs.cpio.gz: $(S)/initramfs.sh $(B)/gen_init_cpio $(B)/init $(PROGRAMS)
	@$(S)/initramfs.sh $@

# The disk of make run.
$(B)/disk.img: $(S)/disk.py
	@echo "  DISK    $@"
	@$(S)/disk.py $@

# The Linux guest: a kernel and a root with Debian's busybox. For tests there is
# also the kernel of the bare base, which none of our patches has touched.
guest: $(B)/guest/Image $(B)/guest/root.img $(B)/guest/initrd
	@:

guest-stock: $(B)/guest/Image.stock
	@:

$(B)/guest/kernel/.config: $(CONFIGS)/pkvm_guest.config $(B)/linux.stamp
	+@$(S)/config.sh $(B)/guest/kernel $(CONFIGS)/pkvm_guest.config

$(B)/guest/stock/.config: $(CONFIGS)/pkvm_guest.config $(B)/stock/linux.stamp
	+@KSRC=$(CURDIR)/$(B)/stock/linux $(S)/config.sh $(B)/guest/stock \
		$(CONFIGS)/pkvm_guest.config

$(B)/guest/Image: $(B)/guest/kernel/.config $(B)/linux.stamp
	+@$(STEP) 'GUEST   $@' $(B)/log/guest.log \
		$(KMAKE) -C $(B)/linux O=$(CURDIR)/$(B)/guest/kernel Image
	@cp $(B)/guest/kernel/arch/arm64/boot/Image $@

$(B)/guest/Image.stock: $(B)/guest/stock/.config $(B)/stock/linux.stamp
	+@$(STEP) 'GUEST   $@' $(B)/log/guest-stock.log \
		$(KMAKE) -C $(B)/stock/linux O=$(CURDIR)/$(B)/guest/stock Image
	@cp $(B)/guest/stock/arch/arm64/boot/Image $@

$(B)/guest/busybox: $(S)/busybox.sh
	@$(S)/busybox.sh $@

$(B)/guest/root.img: $(S)/guest_root.py $(B)/guest/busybox $(wildcard tools/testing/guest/*)
	@echo "  ROOT    $@"
	@$(S)/guest_root.py $(B)/guest/busybox $@

$(B)/guest/initrd: $(S)/guest_initrd.sh $(B)/guest/busybox $(B)/gen_init_cpio \
		tools/testing/guest/initrd
	@$(S)/guest_initrd.sh $@

FORCE:
