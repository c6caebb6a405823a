# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# The only entry. "make help" lists the targets. Everything built goes to build/.

ifeq ($(MAKELEVEL),0)
MAKEFLAGS += --jobs=$(shell nproc)
endif
# By Debian's name: amd64 or arm64. Another one than this machine's is built in a folder of
# its own, without shared libraries: make ARCH=arm64
HOST_ARCH := $(subst x86_64,amd64,$(subst aarch64,arm64,$(shell uname -m)))
ARCH := $(HOST_ARCH)
# The names that libbpf's headers and the compiler's search path use for it.
BPF_ARCH := $(subst amd64,x86,$(ARCH))
TRIPLET := $(subst amd64,x86_64,$(subst arm64,aarch64,$(ARCH)))-linux-gnu

ifeq ($(ARCH),$(HOST_ARCH))
BUILD := build
CC ?= gcc
DEPS := build
LIBS := -lbpf -ljansson
KERNEL_HEADERS := /usr/include/$(TRIPLET)
else
BUILD := build/$(ARCH)
CC := $(TRIPLET)-gcc
DEPS := build $(ARCH)
# Only the libraries' headers and archives: the C library is the cross compiler's.
SYSROOT := $(BUILD)/sysroot
CPPFLAGS_SYSROOT := -isystem $(SYSROOT)/usr/include -isystem $(SYSROOT)/usr/include/$(TRIPLET)
STATIC := -static
LIBS := -L$(SYSROOT)/usr/lib/$(TRIPLET) -lbpf -lelf -lz -ljansson
KERNEL_HEADERS := /usr/$(TRIPLET)/include
endif

CLANG ?= clang
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Werror
CPPFLAGS_ALL := -D_GNU_SOURCE -Iinclude -Isrc -I$(BUILD) $(CPPFLAGS_SYSROOT)
CFLAGS_ALL := -std=gnu11 $(WARNINGS) $(CFLAGS)
# -mcpu=v3: 32-bit arithmetic and jumps, in every kernel from 5.1 on; nothing newer.
BPF_FLAGS := --target=bpf -mcpu=v3 -O2 -g $(WARNINGS) -Wno-unused-parameter \
	-D__TARGET_ARCH_$(BPF_ARCH) -Iinclude -Ivmlinux -Ibpf -isystem $(KERNEL_HEADERS)

SOURCES := $(wildcard src/*.c src/*/*.c)
OBJECTS := $(SOURCES:src/%.c=$(BUILD)/%.o)
MODEL_SOURCES := $(wildcard src/model/*.c)
BPF_SOURCES := $(wildcard bpf/*) $(wildcard vmlinux/*) $(wildcard include/locktrace/*)
RULE_FILES := $(sort $(wildcard rules/*.rules))
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))

.PHONY: all
all: $(BUILD)/locktrace ## Build build/locktrace (the default); ARCH=arm64: build/arm64/locktrace

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# What is missing is installed first, once: the stamp is older than nothing.
$(BUILD)/deps: tools/deps.sh
	@tools/deps.sh $(DEPS)
	@mkdir -p $(BUILD) && touch $@

# Into the lab's cache: a link to what is gone from there is made again.
$(BUILD)/sysroot: | $(BUILD)/deps
	@sysroot=$$(tests/lab/sysroot.sh $(ARCH)) && ln -sfnT "$$sysroot" $@

.PHONY: deps
deps: ## Install the Debian packages that are missing (asks for root only then)
	@tools/deps.sh build lab arm64 lint
	@mkdir -p $(BUILD) && touch $(BUILD)/deps

$(BUILD)/locktrace.bpf.o: $(BPF_SOURCES) | $(BUILD)/deps
	@mkdir -p $(@D)
	$(CLANG) $(BPF_FLAGS) -c bpf/locktrace.bpf.c -o $@

$(BUILD)/locktrace.skel.h: $(BUILD)/locktrace.bpf.o
	PATH="$$PATH:/usr/sbin" bpftool gen skeleton $< name locktrace_bpf > $@.tmp
	@mv $@.tmp $@

$(BUILD)/waiters.bpf.o: $(BPF_SOURCES) | $(BUILD)/deps
	@mkdir -p $(@D)
	$(CLANG) $(BPF_FLAGS) -c bpf/waiters.bpf.c -o $@

$(BUILD)/waiters.skel.h: $(BUILD)/waiters.bpf.o
	PATH="$$PATH:/usr/sbin" bpftool gen skeleton $< name waiters_bpf > $@.tmp
	@mv $@.tmp $@

# The built-in rules as text. The folder too: a file can go away.
$(BUILD)/builtin_rules.h: tools/embed.sh rules $(RULE_FILES)
	@mkdir -p $(@D)
	tools/embed.sh $(RULE_FILES) >$@.tmp
	@mv $@.tmp $@

$(BUILD)/%.o: src/%.c | $(SYSROOT) $(BUILD)/locktrace.skel.h $(BUILD)/waiters.skel.h $(BUILD)/builtin_rules.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CPPFLAGS) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

$(BUILD)/kernel/tracer.o $(BUILD)/kernel/discover.o $(BUILD)/kernel/objects.o: $(BUILD)/locktrace.skel.h
$(BUILD)/kernel/waiters.o: $(BUILD)/waiters.skel.h
$(BUILD)/cmd/rule_set.o: $(BUILD)/builtin_rules.h

$(BUILD)/locktrace: $(OBJECTS)
	$(CC) $(CFLAGS_ALL) $(STATIC) $(LDFLAGS) $^ $(LIBS) -o $@

-include $(OBJECTS:.o=.d)

# Unit tests: pure logic, with sanitizers, without root, BPF or a kernel.
UNIT_FLAGS := -std=gnu11 $(WARNINGS) -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined
UNIT_SOURCES := $(MODEL_SOURCES) src/kernel/cmdline.c src/kernel/hooks.c src/kernel/waiter_scan.c src/kernel/overhead.c src/cmd/hang_wire.c src/message.c $(wildcard src/report/*.c)

$(BUILD)/deps-lab: tools/deps.sh | $(BUILD)/deps
	@tools/deps.sh build lab
	@mkdir -p $(BUILD) && touch $@

UNIT_OBJECTS := $(UNIT_SOURCES:src/%.c=$(BUILD)/unit/%.o)
# Kept: make would take those that only a pattern asks for as passing.
.SECONDARY: $(UNIT_OBJECTS)

$(BUILD)/unit/%.o: src/%.c | $(BUILD)/deps-lab
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(UNIT_FLAGS) -MMD -MP -c $< -o $@

$(BUILD)/tests/%: tests/unit/%.c $(UNIT_OBJECTS) $(BUILD)/builtin_rules.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(UNIT_FLAGS) -MMD -MP $(filter %.c %.o,$^) -lcmocka -ljansson -o $@

# With stubs in place of the kernel.
$(BUILD)/tests/test_conditions: $(BUILD)/unit/cmd/conditions.o
$(BUILD)/tests/test_mutex_layout: $(BUILD)/unit/kernel/mutex_layout.o
$(BUILD)/tests/test_preemption: $(BUILD)/unit/kernel/preemption.o $(BUILD)/unit/kernel/attach_order.o

-include $(UNIT_OBJECTS:.o=.d) $(BUILD)/unit/cmd/conditions.d $(BUILD)/unit/kernel/mutex_layout.d $(BUILD)/unit/kernel/preemption.d $(BUILD)/unit/kernel/attach_order.d $(UNIT_TESTS:=.d)

# Hangs in kernel locks, and waits for those of KVM, for tests/native and the lab.
HELPERS := $(BUILD)/hang_helper $(BUILD)/kvm_helper

$(HELPERS): $(BUILD)/%: tests/native/%.c | $(BUILD)/deps
	@mkdir -p $(@D)
	$(CC) -D_GNU_SOURCE $(CFLAGS_ALL) $(STATIC) $< -o $@

.PHONY: programs
programs: $(BUILD)/locktrace $(HELPERS)

.PHONY: arm64
arm64: ## Build the same for arm64, in build/arm64
	@$(MAKE) --no-print-directory ARCH=arm64 programs

.PHONY: unit
unit: $(UNIT_TESTS) ## Run the unit tests (no root, no virtual machine)
	@tests/run.sh unit $(UNIT_TESTS)

# Fuzzers: libFuzzer, with sanitizers. They never write into the tree.
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_FLAGS := -std=gnu11 $(WARNINGS) -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
FUZZ_SOURCES := $(wildcard src/model/rules*.c) src/model/hash.c
SECONDS := 60

$(BUILD)/fuzz/%: tests/fuzz/%.c $(FUZZ_SOURCES) $(wildcard src/model/*.h) | $(BUILD)/deps-lab
	@mkdir -p $(@D)
	$(CLANG) $(CPPFLAGS_ALL) $(FUZZ_FLAGS) $< $(FUZZ_SOURCES) -o $@

.PHONY: fuzz
fuzz: $(FUZZERS) ## Fuzz the rule parser: make fuzz [SECONDS=60]
	@for fuzzer in $(FUZZERS); do tests/fuzz/run.sh $$fuzzer $(SECONDS) || exit 1; done

# What a case needs: the programs for the kernel that it is run on.
LAB_KERNEL = $(or $(KERNEL),$(if $(CASE),$(firstword $(shell tests/lab/run.sh --kernels $(CASE) 2>/dev/null))))

.PHONY: lab
lab: programs $(if $(filter %-arm64,$(LAB_KERNEL)),arm64) $(BUILD)/deps-lab ## Run one case in a virtual machine: make lab CASE=name [KERNEL=suite] [CONSOLE=1]
	@test -n "$(CASE)" || { echo "say which: make lab CASE=name; there are:"; ls tests/lab/cases | sed -n 's/\.sh$$//p' | grep -v '^lib$$'; exit 2; }
	@$(LAB_ENVIRONMENT) tests/lab/run.sh $(if $(KERNEL),--kernel $(KERNEL)) $(if $(CONSOLE),--console) $(CASE)

LAB_FILES = $(BUILD)/locktrace $(HELPERS) $(BUILD)/waiters.bpf.o $(shell command -v setpriv) $(shell command -v jq) $(firstword $(wildcard /usr/sbin/bpftool))
# jq for the other one is in its base image.
LAB_FILES_arm64 = $(BUILD)/arm64/locktrace $(BUILD)/arm64/hang_helper
LAB_ENVIRONMENT = LAB_FILES="$(LAB_FILES)" LAB_FILES_arm64="$(LAB_FILES_arm64)"

.PHONY: demo
demo: programs $(BUILD)/deps-lab ## Show the 2023 deadlock found on a stock Debian 6.1 kernel, in a virtual machine
	@$(LAB_ENVIRONMENT) tests/lab/run.sh demo

.PHONY: check
check: programs arm64 $(UNIT_TESTS) $(FUZZERS) $(BUILD)/deps-lab ## Run all tests: unit, native, a minute of fuzzing, and every case in every kernel of the lab
	@$(LAB_ENVIRONMENT) FUZZERS="$(FUZZERS)" tests/run.sh all $(UNIT_TESTS)

.PHONY: check-kernels
check-kernels: programs arm64 $(BUILD)/deps-lab ## See what works on each kernel of the lab, and make docs/kernels.md of it
	@$(LAB_ENVIRONMENT) tests/lab/check_kernels.sh $(BUILD)/kernels docs/kernels.md

C_FILES := $(shell find src include bpf vmlinux tests -name '*.[ch]' 2>/dev/null)
SHELL_FILES := $(shell find tools tests .ci -type f \( -name '*.sh' -o -name run \) 2>/dev/null)

$(BUILD)/deps-lint: tools/deps.sh | $(BUILD)/deps
	@tools/deps.sh build lab lint
	@mkdir -p $(BUILD) && touch $@

.PHONY: format
format: $(BUILD)/deps-lint ## Format the C files
	clang-format -i $(C_FILES)

.PHONY: lint
lint: $(BUILD)/deps-lint $(BUILD)/locktrace ## clang-tidy, cppcheck, shellcheck
	tools/lint.sh

.PHONY: clean
clean: ## Remove what was built
	rm -rf $(BUILD)
