# SPDX-License-Identifier: GPL-2.0-only
#
# Rules for everything that is built from build/linux and from this tree's programs. The
# Makefile runs this file in the top directory of the checkout, after tree.py, while it holds
# the build lock.

MAKEFLAGS += --no-print-directory
S	:= scripts/pkvm
B	:= build
KMAKE	:= $(MAKE) ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-
# Run the compilers by ccache if it is installed and has a link for the cross compiler.
CCACHE	:= /usr/lib/ccache
export PATH := $(if $(wildcard $(CCACHE)/aarch64-linux-gnu-gcc),$(CCACHE):)$(PATH)
# The same sources result in the same kernel image, whoever builds it and when.
export KBUILD_BUILD_USER := pkvm
export KBUILD_BUILD_HOST := localhost
export KBUILD_BUILD_VERSION := 1
export KBUILD_BUILD_TIMESTAMP := Thu Jan  1 00:00:00 UTC 1970
STEP	:= $(S)/step.py
CONFIGS	:= arch/arm64/configs

.PHONY: all all-16k guest test-host tests FORCE
.DELETE_ON_ERROR:

PROGRAMS := $(if $(wildcard tools/vmm/Makefile),$(B)/vmm) \
	    $(if $(wildcard tools/pvmfw/Makefile),$(B)/pvmfw.bin)
all: $(B)/Image $(PROGRAMS) $(B)/initramfs.cpio.gz $(B)/disk.img

# The host with 16 KiB pages.
all-16k: $(B)/Image.16k $(B)/initramfs.cpio.gz
	@:

# The kernels. The host of make run and the Linux guest are one kernel image. Other kernels
# are built from a copy of its objects, so that only the differences are compiled.
HOST	:= $(CONFIGS)/pkvm_qemu.config $(CONFIGS)/pkvm_guest.config $(CONFIGS)/pkvm_kunit.config
CHECKED	:= $(HOST) $(CONFIGS)/pkvm_selfcheck.config
# What a host needs on the boards that QEMU models. None of them has pages of 16 KiB.
BOARDS	:= $(CONFIGS)/pkvm_imx8mp_evk.config

# $(call kernel,NAME,IMAGE,FRAGMENTS,TARGETS): build IMAGE, with its objects in build/NAME.
# $(call variation,NAME,IMAGE,FRAGMENTS,TARGETS,FROM,AFTER): the same, starting with a copy of
# the objects in build/FROM, which are complete when the file AFTER exists. KSRC is the kernel
# source.
define kernel
$(B)/$(1)/.config: $(3) $(KSRC).stamp
	+@KSRC=$(CURDIR)/$(KSRC) $(S)/config.sh $(B)/$(1) $(3)

$(2): $(B)/$(1)/.config $(KSRC).stamp
	+@$(STEP) 'KERNEL  $(2)' $(B)/log/$(subst /,-,$(1)).log \
		$(KMAKE) -C $(KSRC) O=$(CURDIR)/$(B)/$(1) $(4)
	@cp $(B)/$(1)/arch/arm64/boot/Image $$@
endef
define variation
$(call kernel,$(1),$(2),$(3),$(4))
$(B)/$(1)/.config: $(B)/$(1)/.begun
$(B)/$(1)/.begun: | $(6)
	@$(S)/vary.sh $(B)/$(1) $(B)/$(5) $(KSRC)
	@touch $$@
endef
KSRC := $(B)/linux

$(eval $(call kernel,host,$(B)/Image,$(HOST) $(BOARDS),Image))

# The host that tests run on: EL2 checks itself, and KUnit is a module.
$(eval $(call variation,test-host,$(B)/test-host/Image,$(CHECKED) $(BOARDS) $(S)/test.config,\
	Image modules,host,$(B)/Image))

# The host with 16 KiB pages, for make run and for tests, with the KUnit suites as modules.
$(eval $(call kernel,host-16k,$(B)/Image.16k,\
	$(CHECKED) $(CONFIGS)/pkvm_16k.config $(S)/16k.config,Image modules))

# A host with all debugging checks of the kernel, where allocations fail on request.
$(eval $(call kernel,debug-host,$(B)/debug-host/Image,\
	$(CONFIGS)/pkvm_qemu.config $(CONFIGS)/pkvm_debug.config $(S)/debug.config,Image))

# Small kernels with KUnit built in, for kunit.py.
KUNIT	:= tools/testing/kunit/pkvm.kunitconfig
$(eval $(call kernel,kunit-4k,$(B)/kunit-4k/Image,$(KUNIT),Image))
$(eval $(call kernel,kunit-16k,$(B)/kunit-16k/Image,$(KUNIT) $(CONFIGS)/pkvm_16k.config,Image))
$(eval $(call kernel,kunit-64k,$(B)/kunit-64k/Image,$(KUNIT) $(CONFIGS)/pkvm_64k.config,Image))

# The kernel of the base without this tree's files and patches. Source files that differ from
# those in build/linux have to be newer than the objects that this kernel starts from.
$(B)/stock/linux.stamp: $(B)/base.id | $(B)/Image
	@mkdir -p $(@D)
	@$(S)/tree.py --bare $(B)/stock/linux
	@touch $@
$(B)/stock/obj/.begun: $(B)/stock/linux.stamp
KSRC := $(B)/stock/linux
$(eval $(call variation,stock/obj,$(B)/stock/Image,\
	$(HOST:%pkvm_kunit.config=$(S)/stock.config) $(BOARDS),Image,host,$(B)/Image))

test-host: $(B)/test-host/Image
	@:

tests: all all-16k guest test-host \
		$(addprefix $(B)/,stock/Image debug-host/Image kunit-64k/Image imx8mp-evk.dtb spmc.bin)
	@:

# The device tree of a board, as the kernel has it.
$(B)/imx8mp-evk.dtb: $(B)/Image
	+@$(STEP) 'DTB     $@' $(B)/log/dtb.log $(KMAKE) -C $(B)/linux O=$(CURDIR)/$(B)/host \
		freescale/$(@F)
	@cp $(B)/host/arch/arm64/boot/dts/freescale/$(@F) $@

# Programs. Their own makefiles know the dependencies. A program that has not changed is not
# copied again, so that make does not rebuild what depends on it.
INSTALL	= cmp -s $(1) $(2) || cp $(1) $(2)

$(B)/vmm: FORCE $(B)/linux.stamp
	+@$(STEP) 'VMM     $@' $(B)/log/vmm.log $(MAKE) -C tools/vmm \
		O=$(CURDIR)/$(B)/vmm-obj KSRC=$(CURDIR)/$(B)/linux
	@$(call INSTALL,$(B)/vmm-obj/vmm,$@)

$(B)/pvmfw.bin: FORCE $(B)/linux.stamp
	+@$(STEP) 'PVMFW   $@' $(B)/log/pvmfw.log $(MAKE) -C tools/pvmfw \
		O=$(CURDIR)/$(B)/pvmfw-obj KSRC=$(CURDIR)/$(B)/linux
	@$(call INSTALL,$(B)/pvmfw-obj/pvmfw.bin,$@)

# A stand-in for secure firmware, for tests.
$(B)/spmc.bin: FORCE $(B)/linux.stamp
	+@$(STEP) 'SPMC    $@' $(B)/log/spmc.log $(MAKE) -C tools/testing/spmc \
		O=$(CURDIR)/$(B)/spmc-obj KSRC=$(CURDIR)/$(B)/linux
	@$(call INSTALL,$(B)/spmc-obj/spmc.bin,$@)

$(B)/init: FORCE
	+@$(STEP) 'INIT    $@' $(B)/log/init.log $(MAKE) -C tools/testing/init \
		O=$(CURDIR)/$(B)/init-obj
	@$(call INSTALL,$(B)/init-obj/init,$@)

# The host's root file system. The kernel's gen_init_cpio can create device nodes in it
# without root privileges.
$(B)/gen_init_cpio: $(B)/linux/usr/gen_init_cpio.c
	@$(CC) -O2 -o $@ $<

$(B)/initramfs.cpio.gz: $(S)/initramfs.sh $(B)/gen_init_cpio $(B)/init $(PROGRAMS)
	@$(S)/initramfs.sh $@

# The default disk of tests.
$(B)/disk.img: $(S)/disk.py
	@echo "  DISK    $@"
	@$(S)/disk.py $@

# The Linux guest: a kernel and a root with Debian's busybox, and the host's program for windows.
guest: $(B)/guest/Image $(B)/guest/root.img $(B)/guest/initrd $(B)/windows_host
	@:

$(B)/guest/Image: $(B)/Image
	@mkdir -p $(@D)
	@ln -f $< $@

$(B)/guest/busybox: $(S)/busybox.sh
	@$(S)/busybox.sh $@

# Programs of guest and host that exchange data by a window.
WINDOWS	:= tools/vmm/tests/vm
$(B)/guest/sve: tools/testing/guest/sve.c
$(B)/guest/windows: $(WINDOWS)/window_init.c $(WINDOWS)/window.h
$(B)/windows_host: $(WINDOWS)/windows_host.c $(WINDOWS)/window.h
$(B)/guest/sve $(B)/guest/windows $(B)/windows_host:
	@echo "  CC      $@"
	@mkdir -p $(@D)
	@aarch64-linux-gnu-gcc -O2 -Wall -Wextra -Werror -static -s -o $@ $<

GUEST_PROGRAMS := $(addprefix $(B)/guest/,busybox sve windows)
$(B)/guest/root.img: $(S)/guest_root.py $(GUEST_PROGRAMS) $(wildcard tools/testing/guest/*)
	@echo "  ROOT    $@"
	@$(S)/guest_root.py $(GUEST_PROGRAMS) $@

$(B)/guest/initrd: $(S)/guest_initrd.sh $(B)/guest/busybox $(B)/gen_init_cpio \
		tools/testing/guest/initrd
	@$(S)/guest_initrd.sh $@

FORCE:
