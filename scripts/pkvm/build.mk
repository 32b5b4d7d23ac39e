# SPDX-License-Identifier: GPL-2.0-only
#
# What is built from build/linux and from our programs; run from the top of the
# checkout by the Makefile, after tree.py, under the lock of the build.

MAKEFLAGS += --no-print-directory
S	:= scripts/pkvm
B	:= build
KMAKE	:= $(MAKE) ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-
# Compilers by ccache, where it is installed and knows ours.
CCACHE	:= /usr/lib/ccache
export PATH := $(if $(wildcard $(CCACHE)/aarch64-linux-gnu-gcc),$(CCACHE):)$(PATH)
# The same sources give the same kernel, whoever builds it and when.
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

# With pages of 16 KiB.
all-16k: $(B)/Image.16k $(B)/initramfs.cpio.gz
	@:

# The kernels. One configuration serves the host of make run, the host that tests run on, and
# a Linux guest; what differs between them starts from the same objects.
HOST	:= $(CONFIGS)/pkvm_qemu.config $(CONFIGS)/pkvm_guest.config $(CONFIGS)/pkvm_kunit.config
CHECKED	:= $(HOST) $(CONFIGS)/pkvm_selfcheck.config

# $(call kernel,NAME,IMAGE,FRAGMENTS,TARGETS): IMAGE of objects in build/NAME.
# $(call variation,NAME,IMAGE,FRAGMENTS,TARGETS,FROM,AFTER): the same from the objects of
# build/FROM, which are there when AFTER is. KSRC is where the sources are.
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

$(eval $(call kernel,host,$(B)/Image,$(HOST),Image))

# The host that tests run on: EL2 checks itself, and the KUnit suites are there.
$(eval $(call variation,test-host,$(B)/test-host/Image,$(CHECKED),Image modules,host,$(B)/Image))

# Both with pages of 16 KiB.
$(eval $(call kernel,host-16k,$(B)/Image.16k,$(HOST) $(CONFIGS)/pkvm_16k.config,Image))
$(eval $(call variation,test-host-16k,$(B)/test-host-16k/Image,\
	$(CHECKED) $(CONFIGS)/pkvm_16k.config,Image modules,host-16k,$(B)/Image.16k))

# A host with every check that the kernel has, and allocations that fail on request.
$(eval $(call kernel,debug-host,$(B)/debug-host/Image,\
	$(CONFIGS)/pkvm_qemu.config $(CONFIGS)/pkvm_debug.config,Image))

# KUnit built in, and next to nothing else, for kunit.py.
KUNIT	:= tools/testing/kunit/pkvm.kunitconfig
$(eval $(call kernel,kunit-4k,$(B)/kunit-4k/Image,$(KUNIT),Image))
$(eval $(call kernel,kunit-16k,$(B)/kunit-16k/Image,$(KUNIT) $(CONFIGS)/pkvm_16k.config,Image))
$(eval $(call kernel,kunit-64k,$(B)/kunit-64k/Image,$(KUNIT) $(CONFIGS)/pkvm_64k.config,Image))

# The kernel of the bare base, which none of our patches has touched.
# What differs in its source has to be newer than the objects that it starts from.
$(B)/stock/linux.stamp: $(B)/base.id | $(B)/Image
	@mkdir -p $(@D)
	@$(S)/tree.py --bare $(B)/stock/linux
	@touch $@
$(B)/stock/obj/.begun: $(B)/stock/linux.stamp
KSRC := $(B)/stock/linux
$(eval $(call variation,stock/obj,$(B)/stock/Image,$(HOST:%pkvm_kunit.config=$(S)/stock.config),\
	Image,host,$(B)/Image))

test-host: $(B)/test-host/Image
	@:

tests: all all-16k guest test-host \
		$(addprefix $(B)/,stock/Image test-host-16k/Image debug-host/Image kunit-64k/Image)
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

# The Linux guest: a kernel and a root with Debian's busybox.
guest: $(B)/guest/Image $(B)/guest/root.img $(B)/guest/initrd
	@:

$(B)/guest/Image: $(B)/Image
	@mkdir -p $(@D)
	@ln -f $< $@

$(B)/guest/busybox: $(S)/busybox.sh
	@$(S)/busybox.sh $@

$(B)/guest/root.img: $(S)/guest_root.py $(B)/guest/busybox $(wildcard tools/testing/guest/*)
	@echo "  ROOT    $@"
	@$(S)/guest_root.py $(B)/guest/busybox $@

$(B)/guest/initrd: $(S)/guest_initrd.sh $(B)/guest/busybox $(B)/gen_init_cpio \
		tools/testing/guest/initrd
	@$(S)/guest_initrd.sh $@

FORCE:
