# SPDX-License-Identifier: GPL-2.0-only
#
# The commands of this tree. They run the scripts in scripts/pkvm/.
# This file is for this tree only: make tree does not copy it to the kernel.

SHELL	:= /bin/bash
S	:= scripts/pkvm
JOBS	?= $(shell nproc)

# A tarball of another 6.12.y source, to use instead of Debian's.
BASE	?=
# make run: the disk image for the VM.
DISK	?=
# make run: "static" for a non-protected VM.
MODE	?=
# make run: 16 for a host, and for a Linux guest, with pages of 16 KiB.
PAGE	?=
GUEST_PAGE ?=
# make run: another machine than QEMU's own, one of scripts/pkvm/boards.py.
BOARD	?=
# make run: GUEST=linux starts Linux without the firmware, and INTERACTIVE=1 connects this terminal
# to its shell.
GUEST	?=
INTERACTIVE ?=
# make run: with GUEST=linux, the number of windows by which guest and host exchange data.
WINDOW	?=
# SECONDS: how long make stress runs on each CPU, and make fuzz-fw each harness. SEED: for make
# stress, make fuzz-guest and make fuzz-host, the seed of the run to repeat.
SECONDS	?=
SEED	?=
# make fuzz-guest: the number of calls on each CPU; make fuzz-host: on all CPUs together. make
# stress: the number of random changes to page tables, for each page size.
N	?=
# make fresh: a Debian release, and the goals to make on it.
SUITE	?=
GOALS	?= run test
# make bench: another revision of this tree, whose kernel is measured, too.
AGAINST	?=
# make run, kunit, stress, fuzz-guest, fuzz-host: a CPU of scripts/pkvm/cpus.py.
CPU	?=

# Check options, packages and QEMU before the first long build.
BOOTS	:= $(filter run test-builds kunit stress fuzz-guest fuzz-host,$(MAKECMDGOALS))
ifneq ($(BOOTS),)
all all-16k tree guest test-host test-builds: | ground
endif

# Only one build at a time may run in a checkout: the lock protects build/linux and all objects.
LOCKED	= mkdir -p build/log && flock build/.lock
TREE	= $(S)/tree.py $(if $(BASE),--base '$(BASE)')
MK	= $(MAKE) --no-print-directory -j$(JOBS) -f $(S)/build.mk

.DEFAULT_GOAL := all
.PHONY: FORCE help ground fresh all all-16k tree hooks hooks-save docs guest test-host \
	test-builds run test test-long kunit bench stress fuzz-guest fuzz-host fuzz-fw check series \
	series-build clean

help:
	@echo 'make [all]    host kernel, firmware, VMM and root, under build/'
	@echo 'make tree     the patched kernel source, at build/linux'
	@echo 'make hooks    the hooks into the base as git commits, to edit, at build/hooks'
	@echo 'make hooks-save   write them back into patches/'
	@echo 'make docs     the manual as HTML, at build/docs/arm/pkvm.html'
	@echo 'make run      boot the host; in a protected VM the firmware reads a disk, boots Linux'
	@echo '              DISK=file: this image instead of the root of the Linux guest'
	@echo '              MODE=static: a VM that is not protected, with a fixed DMA pool'
	@echo '              GUEST=linux: Linux without firmware, to a shell, instead'
	@echo '              PAGE=16: a host with pages of 16 KiB, on a CPU that has them (a76)'
	@echo '              GUEST_PAGE=16: a Linux guest with such pages'
	@echo '              BOARD=name: on this machine:'
	@$(S)/ground.py --list boards
	@echo '              INTERACTIVE=1: with GUEST=linux, type at that shell'
	@echo '              WINDOW=1: with GUEST=linux, exchange data by a window, or up to 8'
	@echo 'make guest    the Linux guest: kernel and root, under build/guest'
	@echo 'make test     all tests; the last line is "N passed, N failed"'
	@echo 'make test-long   the same, with fuzzing for minutes and kills by the hundred'
	@echo 'make kunit    the KUnit suites alone'
	@echo 'make bench    cost of each operation in instructions, checked against its limit;'
	@echo '              AGAINST=rev: compared with the kernel of that revision'
	@echo 'make stress   many VMs on a host under pressure, for SECONDS=600; SEED=n: again;'
	@echo '              N=1000000 random steps over page tables, for each size of a page;'
	@echo '              2000 starts of VMs, four at a time'
	@echo 'make fuzz-guest   a guest with random calls, N=1000000 of them; SEED=n: again'
	@echo 'make fuzz-host    a host with random calls, N=1000000 of them; SEED=n: again'
	@echo 'make fuzz-fw  fuzz the firmware, each harness for SECONDS=3600'
	@echo 'make check    style, static analysis, gcc and clang builds'
	@echo 'make series   patches for git am on a clean base, at build/series'
	@echo 'make series-build   make series, and build after each patch'
	@echo 'make fresh    make run and make test, or GOALS=, in a new root of SUITE=trixie|bookworm'
	@echo 'make clean    remove build/'
	@echo
	@echo 'CPU=name      run, kunit, stress, fuzz-guest, fuzz-host: the processor that QEMU models:'
	@$(S)/ground.py --list cpus
	@echo 'BASE=tarball  another 6.12.y source than /usr/src/linux-source-6.12.tar.xz'
	@echo 'JOBS=n        how many jobs at once, default all processors'

# Check everything that the goals need and that is not built here.
ground:
	@$(S)/deps.sh run guest $(if $(BOARD),board) $(if $(filter-out run,$(BOOTS)),board test)
	@$(S)/ground.py $(HOW)
	$(if $(filter run test-builds,$(BOOTS)),+@$(LOCKED) $(MK) build/guest/busybox)

tree:
	@$(S)/deps.sh run
	@$(LOCKED) $(TREE)

# The patches to the base are edited as git commits, and written back to patches/.
hooks: tree
	@$(S)/deps.sh test
	@$(LOCKED) $(S)/hooks.py make $(if $(BASE),--base '$(BASE)')

hooks-save:
	@$(LOCKED) $(S)/hooks.py save

docs: tree
	@$(S)/deps.sh docs
	@$(LOCKED) $(S)/docs.py

all:
	@$(S)/deps.sh run
	+@$(LOCKED) bash -c '$(TREE) && $(MK) all'

# The host with 16 KiB pages.
all-16k:
	@$(S)/deps.sh run guest
	+@$(LOCKED) bash -c '$(TREE) && $(MK) all-16k'

guest:
	@$(S)/deps.sh run guest
	+@$(LOCKED) bash -c '$(TREE) && $(MK) guest'

# The host that tests run on.
test-host:
	@$(S)/deps.sh run test
	+@$(LOCKED) bash -c '$(TREE) && $(MK) test-host'

build/guest/%: guest ;

# Any single product: make build/Image, build/vmm, build/pvmfw.bin, ...
build/%: FORCE
	@$(S)/deps.sh run
	+@$(LOCKED) bash -c '$(TREE) && $(MK) $@'

BUILT	:= $(if $(filter 16,$(PAGE)),all-16k,all) $(if $(filter 16,$(GUEST_PAGE)),all-16k) guest \
	   $(if $(filter imx8mp-evk,$(BOARD)),build/imx8mp-evk.dtb)
HOW	= $(if $(BOARD),--board '$(BOARD)') $(if $(CPU),--cpu '$(CPU)') \
	  $(if $(PAGE),--page '$(PAGE)') $(if $(GUEST_PAGE),--guest-page '$(GUEST_PAGE)')

ifeq ($(GUEST)$(INTERACTIVE)$(WINDOW),)
run: $(BUILT)
	@$(S)/run.py $(HOW) $(if $(DISK),--disk '$(DISK)') \
		$(if $(MODE),--mode '$(MODE)')
else ifeq ($(GUEST),linux)
run: $(BUILT)
	@$(S)/run_linux.py $(HOW) $(if $(DISK),--disk '$(DISK)') \
		$(if $(INTERACTIVE),--interactive) $(if $(WINDOW),--windows '$(WINDOW)')
else
run:
	@echo 'make run: error: GUEST can only be "linux", which INTERACTIVE=1 and WINDOW=1 need' >&2
	@exit 1
endif

kunit: tree
	@$(S)/deps.sh test
	@$(S)/run_kunit.py $(if $(CPU),--cpu $(CPU)) --jobs $(JOBS)

# Build everything that the tests run, so that a build error shows before the first test. The last
# two scripts take the build lock themselves.
test-builds:
	@$(S)/deps.sh run guest board test
	+@$(LOCKED) bash -c '$(TREE) && $(MK) tests'
	@$(S)/run_base.py --build --jobs $(JOBS)
	@$(S)/run_modules.py --build --jobs $(JOBS)

test:
	@$(S)/test.py --jobs $(JOBS)

test-long:
	@$(S)/test.py --long --jobs $(JOBS)

bench: all
	@tools/testing/bench/bench.py --jobs $(JOBS) $(if $(AGAINST),--against '$(AGAINST)')

STEPS = --steps $(or $(N),1000000) $(if $(SEED),--seed $(SEED)) --jobs $(JOBS)

stress: all
	@$(S)/deps.sh test
	@$(S)/run_stress.py $(if $(CPU),--cpu $(CPU)) $(if $(SEED),--seed $(SEED)) \
		--seconds $(or $(SECONDS),600) --jobs $(JOBS)
	@$(S)/run_starts.py $(if $(CPU),--cpu $(CPU)) $(if $(SEED),--seed $(SEED)) \
		--starts 2000 --jobs $(JOBS)
	@$(S)/run_kunit.py --cpu $(or $(CPU),a57) $(STEPS)
	@$(S)/run_kunit.py --granule 16 $(STEPS)
	@$(S)/run_kunit.py --granule 64 $(STEPS)

fuzz-guest: all
	@$(S)/deps.sh test
	@$(S)/run_fuzz_guest.py $(if $(CPU),--cpu $(CPU)) $(if $(SEED),--seed $(SEED)) \
		--calls $(or $(N),1000000) --jobs $(JOBS)

fuzz-host: test-host
	@$(S)/run_fuzz_host.py $(if $(CPU),--cpu $(CPU)) $(if $(SEED),--seed $(SEED)) \
		--calls $(or $(N),1000000) --jobs $(JOBS)

fuzz-fw: tree
	@$(S)/deps.sh test
	@tools/pvmfw/fuzz/fuzz.py --seconds $(or $(SECONDS),3600) --jobs $(JOBS)

check: all
	@$(S)/deps.sh test
	@$(S)/check.py --jobs $(JOBS)

series: tree
	@$(S)/deps.sh test
	@$(S)/series.py

series-build: tree
	@$(S)/deps.sh test
	@$(S)/series.py --build --jobs $(JOBS)

# Make the goals, by default run and test, on a newly installed Debian of the release SUITE.
fresh:
	@$(S)/deps.sh fresh
	@$(S)/fresh.sh '$(SUITE)' $(GOALS)

clean:
	rm -rf build
