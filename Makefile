# SPDX-License-Identifier: GPL-2.0-only
#
# `make help` lists the targets.  Kbuild has the build of the module itself.

PACKAGE := cxl-vfio-pci
VERSION := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)

KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
# A kernel that clang compiled has flags that only clang knows
LLVM_FOR_KERNEL = $(if $(LLVM),,$(shell grep -qs '^CONFIG_CC_IS_CLANG=y' \
	$(KDIR)/include/config/auto.conf && echo LLVM=1))
# Default: every series of tests/vm/lib/series.sh; the demo runs on the newest
KERNELS ?=
DEMO_KERNEL ?=

# The files that DKMS needs
DKMS_FILES := dkms.conf Kbuild src include
SRCDIR := $(DESTDIR)/usr/src/$(PACKAGE)-$(VERSION)

modules: ## build the module for KVER (default: the running kernel)
	$(MAKE) -C $(KDIR) M=$(CURDIR) $(LLVM_FOR_KERNEL) modules

install: ## install the sources and, through DKMS, the module for KVER
	@command -v dkms >/dev/null || [ -n "$(DESTDIR)" ] || \
		{ echo "dkms is not installed: apt-get install dkms" >&2; exit 1; }
	$(if $(DESTDIR),,-dkms remove -m $(PACKAGE) -v $(VERSION) --all >/dev/null 2>&1)
	rm -rf $(SRCDIR)
	mkdir -p $(SRCDIR)
	tar -c --exclude='*.o' --exclude='.*.cmd' --exclude=generated.h $(DKMS_FILES) | \
		tar -x --no-same-owner -C $(SRCDIR)
	$(if $(DESTDIR),,dkms add -m $(PACKAGE) -v $(VERSION))
	$(if $(DESTDIR),,dkms install -m $(PACKAGE) -v $(VERSION) -k $(KVER))

uninstall: ## undo install, for all kernels
	-dkms remove -m $(PACKAGE) -v $(VERSION) --all
	rm -rf $(SRCDIR)

demo: ## show the driver at work in a virtual machine (DEMO_KERNEL=6.12 for another kernel)
	tests/vm/demo.sh $(DEMO_KERNEL)

lab: ## open a shell in the demo's machine, to try the packages by hand
	tests/vm/demo.sh --by-hand $(DEMO_KERNEL)

check: ## run all tests, except what takes long
	tests/check.sh style builds t2dev unit kunit fuzz tool dkms packages vm vm-arm64 debug-quick

check-full: ## run all tests
	FULL=yes tests/check.sh style builds t2dev unit kunit fuzz mutants tool dkms packages lab vm vm-rt vm-old vm-iommufd vm-arm64 debug

check-style: ## build on all KERNELS without a warning; checkpatch, sparse, shellcheck
	tests/style.sh $(KERNELS)

check-builds: ## build on all kernels, configurations and stand-ins (FULL=yes: every one)
	tests/builds.sh $(BUILDS)

check-t2dev: ## test the software device by itself
	tests/t2dev.sh

check-unit: ## test models, registers, discovery, config space and virtual BAR in user space
	tests/unit.sh

check-kunit: ## test the register models with KUnit
	tests/kunit.sh

check-fuzz: ## fuzz the models, discovery and config space, a bounded number of runs
	tests/fuzz.sh

check-mutants: ## change lines of the driver, and see that the quick tests notice
	tests/mutants.sh

coverage: check-kunit ## print the lines and branches that KUnit and the fuzzers reach
	tests/fuzz.sh --coverage

check-dkms: ## test installing, updating and refusing, with real DKMS
	tests/dkms.sh

check-packages: ## build, check, install, update and remove the packages
	tests/packages.sh check

check-tool: ## test cxl-vfio on made-up hosts
	tests/tool.sh

check-lab: ## run the commands of README.md in the machine of make lab
	tests/lab.sh

check-vm: ## run the scenarios in virtual machines, KERNELS="6.12 7.3" for some, ARCH=arm64, PAGES=16k
	tests/vm/run.sh ARCH="$(ARCH)" PAGES="$(PAGES)" KERNELS="$(KERNELS)" $(SCENARIOS)

check-vm-rt: ## run some scenarios on the newest rt kernel, whose locks sleep differently
	tests/vm/run.sh KERNELS="7.3-rt" 10-bind 20-vfio 50-memory 60-reset

check-vm-old: ## run some scenarios on the oldest 6.1, whose vfio-pci-core has less to build on
	tests/vm/run.sh KERNELS="6.1-old" 10-bind 20-vfio 60-reset

check-vm-iommufd: ## run some scenarios, and a guest, on a kernel with iommufd, built once
	tests/vm/run.sh KERNELS="7.3-iommufd" 10-bind 42-iommufd 90-nested-iommufd

# What runs in arm64 machines with FULL=yes besides
ARM64_FULL := 21-registers 30-refused 40-plain 51-clear 53-vbar 54-pages 61-stress 62-sibling \
	63-topology 70-removal 90-nested 92-tool 93-own-dkms

check-vm-arm64: ## run some scenarios in arm64 machines, on 7.3 (FULL=yes: more, and on all)
	tests/vm/run.sh ARCH=arm64 KERNELS="$(if $(FULL),6.12 7.3 7.3-16k 7.3-64k,7.3)" \
		10-bind 20-vfio 50-memory 60-reset $(if $(FULL),$(ARM64_FULL))

check-debug: ## run the scenarios on a kernel with KASAN, lockdep and more, built once
	tests/debug.sh

check-debug-quick: ## run some of them, if that kernel is built
	tests/debug.sh --quick

bench: ## measure against stock vfio-pci in instructions, write build/bench.json
	tests/vm/bench.sh $(DEMO_KERNEL)

tools: ## build the command line tool (needs libpci-dev libkmod-dev libjson-c-dev acpica-tools)
	$(MAKE) -C tools O=$(CURDIR)/build/tools

deb: ## build the Debian packages, to build/deb
	tests/packages.sh deb

rpm: ## build the RPM packages, to build/rpm
	tests/packages.sh rpm

t2dev: ## build the software device
	$(MAKE) -C tests/t2dev O=$(CURDIR)/build

vm-progs: ## build the programs that run inside the test machine
	$(MAKE) -C tests/vm/progs O=$(CURDIR)/build/vm/progs

docs: ## make pictures and tables from their sources (needs graphviz)
	$(MAKE) -C docs

clean: ## remove what was built, except the cache of the tests
	$(if $(wildcard $(KDIR)),$(MAKE) -C $(KDIR) M=$(CURDIR) clean)
	rm -rf build src/compat/generated.h

help: ## list the targets
	@echo "$(PACKAGE) $(VERSION)"
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1|\2/p' Makefile | \
		while IFS='|' read -r name what; do printf '  %-12s %s\n' "$$name" "$$what"; done

.PHONY: modules install uninstall demo lab check check-builds check-lab check-style check-t2dev check-unit check-kunit check-fuzz check-mutants \
	coverage check-dkms check-packages check-tool check-full check-vm check-vm-rt check-vm-old check-vm-iommufd check-vm-arm64 check-debug check-debug-quick tools deb rpm t2dev vm-progs bench docs clean help
