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

# Libraries per component, so that a program links only what its parts need.
libs_base     := libcrypto
libs_format   :=
libs_model    := libxml-2.0 jansson
libs_rootfs   := libguestfs libarchive
libs_stages   := libcryptsetup fdisk
libs_vm-test  := tss2-mu
components    := base format model rootfs stages vm-test

pc_cflags = $(if $(libs_$(1)),$(shell $(PKG_CONFIG) --cflags $(libs_$(1)) 2>/dev/null))
pc_libs   = $(foreach c,$(1),$(if $(libs_$(c)),$(shell $(PKG_CONFIG) --libs $(libs_$(c)) 2>/dev/null)))

# ---------------------------------------------------------------- sources

src_base    := $(wildcard factory/base/*.c)
src_format  := $(wildcard factory/format/*.c)
src_model   := $(wildcard factory/model/*.c)
src_rootfs  := $(wildcard rootfs/*.c rootfs/packages/*.c)
src_stages  := $(wildcard stages/*.c)
src_vm-test := $(wildcard vm-test/*.c)
src_kiln    := $(wildcard factory/*.c)

archive = $(B)/lib/$(1).a
archives := $(foreach c,stages vm-test rootfs model format base,$(call archive,$(c)))
unit_tests := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/test_*.c))
fuzzers := $(patsubst %.c,$(B)/%,$(wildcard tests/fuzz/fuzz_*.c))

all: $(B)/kiln ## build the kiln command

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

obj_kiln := $(patsubst %.c,$(B)/%.o,$(src_kiln))

$(B)/%.o: %.c $(B)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(component_cflags) -include factory/base/banned.h -MMD -MP -c $< -o $@

$(B)/kiln: $(obj_kiln) $(archives)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $(obj_kiln) -Wl,--start-group $(archives) -Wl,--end-group \
		$(call pc_libs,$(components)) -o $@

$(B)/tests/unit/%: $(B)/tests/unit/%.o $(archives)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $< -Wl,--start-group $(archives) -Wl,--end-group \
		$(call pc_libs,$(components)) -o $@

-include $(shell find $(B) -name '*.d' 2>/dev/null)
.SECONDARY:
.PHONY: all FORCE
