# SPDX-License-Identifier: Apache-2.0
# Kiln: the whole build, one file, not recursive. `make help` lists what it can do.

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := all

-include config.mak

V ?= 0
Q := $(if $(filter 0,$(V)),@)
say = $(if $(filter 0,$(V)),@printf '  %-6s %s\n' '$(1)' '$(2)')

CC ?= cc
ifeq ($(origin CC),default)
CC := cc
endif
AR ?= ar
PKG_CONFIG ?= pkg-config
SAN ?=
WERROR ?=
B ?= build$(if $(SAN),-san)

# ---------------------------------------------------------------- flags

CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wvla -Wmissing-prototypes -Wstrict-prototypes -Wformat=2 \
	-Wundef -Wwrite-strings $(if $(WERROR),-Werror)
HARDENING := -fstack-protector-strong -fPIE $(if $(SAN),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
SANITIZE := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
ALL_CFLAGS := -std=gnu11 -D_GNU_SOURCE -I. $(WARNINGS) $(HARDENING) $(SANITIZE) $(CFLAGS) \
	-ffile-prefix-map=$(CURDIR)/=
ALL_LDFLAGS := -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITIZE) $(LDFLAGS)
# A program with libFuzzer's own main.
$(B)/tests/fuzz/%: ALL_LDFLAGS += $(if $(FUZZING),-fsanitize=fuzzer)

# Libraries per component, so that a program links only what its parts need.
libs_base     := libcrypto zlib
libs_format   :=
libs_model    := libxml-2.0 jansson
libs_rootfs   := libguestfs libarchive
libs_keys     :=
libs_stages   := libcryptsetup fdisk
libs_vm-test  := tss2-mu libzstd
libs_factory  :=
libs_upload   := libcurl libxml-2.0
libs_rehearsal := libmicrohttpd
components    := base format model rootfs keys stages vm-test factory upload rehearsal

pc_cflags = $(if $(libs_$(1)),$(shell $(PKG_CONFIG) --cflags $(libs_$(1)) 2>/dev/null))
pc_libs   = $(foreach c,$(1),$(if $(libs_$(c)),$(shell $(PKG_CONFIG) --libs $(libs_$(c)) 2>/dev/null)))

# ---------------------------------------------------------------- sources

src_base    := $(wildcard factory/base/*.c)
src_format  := $(wildcard factory/format/*.c)
src_model   := $(wildcard factory/model/*.c)
src_rootfs  := $(wildcard rootfs/*.c rootfs/packages/*.c rootfs/audit/*.c)
src_keys    := $(wildcard keys/*.c)
src_stages  := $(wildcard stages/*.c)
src_vm-test := $(wildcard vm-test/*.c)
src_factory := $(filter-out factory/main.c,$(wildcard factory/*.c))
src_upload  := $(filter-out upload/main.c,$(wildcard upload/*.c upload/deploy/*.c))
src_rehearsal := $(filter-out upload/rehearsal/main.c,$(wildcard upload/rehearsal/*.c))

# What each program is made of; only kiln-upload may reach a network, and kiln-rehearsal answers it.
parts_kiln           := $(filter-out upload rehearsal,$(components))
parts_kiln-upload    := base format model upload
parts_kiln-rehearsal := base format model rehearsal

archive = $(B)/lib/$(1).a
archives = $(foreach c,$(1),$(call archive,$(c)))
unit_tests := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/test_*.c))
bench_programs := $(patsubst %.c,$(B)/%,$(wildcard tests/bench/*.c))
fuzzers := $(patsubst %.c,$(B)/%,$(wildcard tests/fuzz/fuzz_*.c))

all: $(B)/kiln $(B)/kiln-upload ## build the commands

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo '  Variables: CC= CFLAGS= SAN=address,undefined WERROR=1 V=1 B=build PREFIX=/usr/local'

# ---------------------------------------------------------------- rules

# Rebuild when the flags change.
flags := $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(flags)' | cmp -s - $@ || printf '%s\n' '$(flags)' > $@
FORCE:

define component_rules
obj_$(1) := $$(patsubst %.c,$(B)/%.o,$$(src_$(1)))
$$(obj_$(1)): component_cflags = $$(call pc_cflags,$(1))
$(call archive,$(1)): $$(obj_$(1))
	$$(call say,AR,$$@)
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(Q)$$(AR) rcsD $$@ $$^
endef
$(foreach c,$(components),$(eval $(call component_rules,$(c))))

$(B)/%.o: %.c $(B)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(component_cflags) -include factory/base/banned.h -MMD -MP -c $< -o $@

# An object, and the components it may need.
link = $(Q)$(CC) $(ALL_LDFLAGS) $(1) -Wl,--start-group $(call archives,$(2)) -Wl,--end-group \
	$(call pc_libs,$(2)) -o $@

$(B)/kiln: $(B)/factory/main.o $(call archives,$(parts_kiln))
	$(call say,LINK,$@)
	$(call link,$<,$(parts_kiln))

$(B)/kiln-upload: $(B)/upload/main.o $(call archives,$(parts_kiln-upload))
	$(call say,LINK,$@)
	$(call link,$<,$(parts_kiln-upload))

$(B)/kiln-rehearsal: $(B)/upload/rehearsal/main.o $(call archives,$(parts_kiln-rehearsal))
	$(call say,LINK,$@)
	$(call link,$<,$(parts_kiln-rehearsal))

$(B)/tests/unit/%: $(B)/tests/unit/%.o $(call archives,$(components))
	$(call say,LINK,$@)
	$(call link,$<,$(components))

$(B)/tests/bench/%: $(B)/tests/bench/%.o $(call archives,$(components))
	$(call say,LINK,$@)
	$(call link,$<,$(components))

# Fuzz targets want clang's run time: `make fuzz` builds them with CC=clang SAN=fuzzer,address,undefined.
$(B)/tests/fuzz/%: $(B)/tests/fuzz/%.o $(call archives,$(components))
	$(call say,LINK,$@)
	$(call link,$<,$(components))

# Programs that run inside an image or the appliance are compiled by the build; here only to see that they are clean.
image_programs := $(B)/image/init $(B)/image/watch $(B)/image/gateway
$(B)/image/init: $(wildcard rootfs/init/*.[ch]) factory/format/gpt.c factory/format/verity.c $(B)/flags
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -I. $(WARNINGS) $(CFLAGS) -static $(filter %.c,$^) -o $@
$(B)/image/watch: $(wildcard rootfs/watch/*.[ch]) $(B)/flags
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -I. $(WARNINGS) $(CFLAGS) -static $(filter %.c,$^) -o $@
$(B)/image/gateway: $(wildcard rootfs/services/gateway/*.[ch]) $(B)/flags
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE $(WARNINGS) $(CFLAGS) $(filter %.c,$^) \
		$(shell $(PKG_CONFIG) --libs libmicrohttpd 2>/dev/null) -o $@

-include $(shell find $(B) -name '*.d' 2>/dev/null)
.SECONDARY:
.PHONY: FORCE

# ---------------------------------------------------------------- use

# All processors, unless the caller has said how many.
parallel := $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))

IMAGE ?= rootfs/images/mpc
OUT ?= out
name = $(notdir $(IMAGE))

setup: ## install the Debian packages that building and proving an image needs
	@sh factory/setup.sh demo
setup-check: ## likewise, and what the tests need
	@sh factory/setup.sh check

demo: setup ## build the first image, boot it, and show that prediction and measurement agree
	$(Q)$(MAKE) --no-print-directory $(parallel) all
	$(B)/kiln fetch $(IMAGE)
	$(B)/kiln build $(IMAGE) -o $(OUT)
	$(B)/kiln test $(OUT)/$(name)/*.raw
	@echo
	@echo 'The results lie in $(OUT)/$(name):'
	@ls -lhs $(OUT)/$(name)

# OPTIONS: "--region eu-north-1 --tag team=red".
upload: all ## send the image IMAGE, which was built and proven, to EC2, with OPTIONS
	$(B)/kiln upload $(OUT)/$(name)/*.raw $(OPTIONS)

PREFIX ?= /usr/local
share := $(DESTDIR)$(PREFIX)/share/kiln
install: all ## install the commands, their manual pages, and the sources of the image's programs
	install -D -m 755 $(B)/kiln $(DESTDIR)$(PREFIX)/bin/kiln
	install -D -m 755 $(B)/kiln-upload $(DESTDIR)$(PREFIX)/bin/kiln-upload
	for f in $(wildcard rootfs/init/*.[ch] rootfs/watch/*.[ch] factory/format/gpt.[ch] factory/format/verity.[ch] factory/base/bytes.h); do \
		install -D -m 644 $$f $(share)/$$f || exit 1; done
	for f in $(wildcard docs/*.1); do \
		install -D -m 644 $$f $(DESTDIR)$(PREFIX)/share/man/man1/$${f##*/} || exit 1; done

clean: ## remove what was compiled (not the cache, not results)
	rm -rf $(B) build-san build-clang build-fuzz

# ---------------------------------------------------------------- tests

# Parameters of the recursive builds below; each has a directory of its own.
submake := $(MAKE) --no-print-directory WERROR=1 $(parallel)
san     := B=build-san SAN=address,undefined
clang   := B=build-clang CC=clang
fuzzing := B=build-fuzz CC=clang SAN=fuzzer-no-link,address,undefined FUZZING=1

check: setup-check ## every test, the boot proof included (as an ordinary user even for root)
	@sh tests/check.sh

check-run: ## every test, with what is installed and as who you are
	$(Q)$(submake) all rehearsal-server unit image-programs bench-programs
	$(Q)$(submake) $(san) all rehearsal-server unit
	$(Q)$(submake) $(clang) all unit image-programs
	$(Q)$(submake) $(fuzzing) fuzzers
	$(Q)sh tests/image.sh
	$(Q)B=$(B) REHEARSAL=$(CURDIR)/build-san/kiln-rehearsal sh tests/prove.sh tests/lint/*.sh $(unit_tests) \
		$(patsubst $(B)/%,build-san/%,$(unit_tests)) $(filter-out %/lib.sh,$(wildcard tests/sh/*.sh))

unit: $(unit_tests)
fuzzers: $(fuzzers)
image-programs: $(image_programs)
rehearsal-server: $(B)/kiln-rehearsal

check-hosts: all bench-programs ## build on another host, which Kiln makes itself, and compare; ask moto (a quarter of an hour)
	$(Q)prove --exec '' --timer tests/hosts/*.sh

KEYS ?= $(OUT)/keys
tamper: all ## sign IMAGE with KEYS (made if need be), and try every attack on it (half an hour without KVM)
	$(Q)[ -e $(KEYS)/keyring ] || $(B)/kiln keys new $(KEYS)
	$(B)/kiln build $(IMAGE) --keys $(KEYS) -o $(OUT)
	$(B)/kiln tamper $(OUT)/$(name)/*.raw --secure-boot $(KEYS)

rehearsal: all rehearsal-server ## upload IMAGE's disk to a stand-in for AWS that misbehaves, and read it back
	$(Q)sh upload/rehearsal/rehearse.sh $(B) $(or $(wildcard $(OUT)/$(name)/*.raw),$(OUT)/$(name)/disk.raw)

check-unit: unit ## the unit tests alone
	$(Q)prove --exec '' $(unit_tests)
check-lint: all ## layers, headers, texts, libraries
	$(Q)prove --exec '' tests/lint/*.sh

FUZZ_SECONDS ?= 60
fuzz: ## run every fuzz target for FUZZ_SECONDS each
	$(Q)$(submake) $(fuzzing) fuzzers
	$(Q)FUZZ_SECONDS=$(FUZZ_SECONDS) prove --exec '' -v tests/sh/fuzz.sh

bench: all bench-programs ## measure, as ratios to a peer in the same run (docs/benchmarks.md)
	$(Q)B=$(B) sh tests/bench/run.sh
bench-programs: $(bench_programs)

format: ## rewrite the C sources in the house style
	clang-format -i $(shell git ls-files '*.c')

.PHONY: all help setup setup-check demo upload install clean check check-run unit fuzzers image-programs rehearsal-server \
	check-hosts tamper rehearsal check-unit check-lint fuzz bench bench-programs format
