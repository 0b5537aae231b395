# SPDX-License-Identifier: MIT
# lxcfsd: `make`, `make check`, `make check-root` (as root), `make install`.
# `make help` lists what there is.  Nothing here names a plugin: plugins/*.c are found.

VERSION := 0.1.0

prefix      ?= /usr/local
bindir      ?= $(prefix)/bin
libdir      ?= $(prefix)/lib
libexecdir  ?= $(prefix)/libexec/lxcfsd
plugindir   ?= $(libdir)/lxcfsd/plugins
includedir  ?= $(prefix)/include
unitdir     ?= $(prefix)/lib/systemd/system
sysconfdir  ?= /etc
datadir     ?= $(prefix)/share
DESTDIR     ?=

PKG_CONFIG ?= pkg-config
SAN        ?=
V          ?= 0
comma      := ,
# Every variant that is not compatible with another has a directory of its own.
O          ?= build$(if $(SAN),-$(subst $(comma),-,$(SAN)))

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
        -Wformat=2 -Wvla -Wundef -Wwrite-strings
HARDEN := $(if $(SAN),,-D_FORTIFY_SOURCE=2) -fstack-protector-strong -fPIE
OPT := -O2 -g
ALL_CPPFLAGS = -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DLXCFSD_VERSION='"$(VERSION)"' \
	-DLXCFSD_LIBEXECDIR='"$(libexecdir)"' -DLXCFSD_PLUGINDIR='"$(plugindir)"' \
	-DLXCFSD_SYSCONFDIR='"$(sysconfdir)"' $(CPPFLAGS)
ALL_CFLAGS = -std=c17 $(OPT) $(WARN) $(HARDEN) -pthread \
	$(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=undefined) $(CFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,now -Wl,-z,relro $(if $(SAN),-fsanitize=$(SAN)) -pthread $(LDFLAGS)
# A sanitizer's run-time library is found only when the program is loaded.
PLUGIN_LDFLAGS = -shared -fvisibility=hidden -Wl,-z,now -Wl,-z,relro \
	$(if $(SAN),-fsanitize=$(SAN),-Wl$(comma)-z$(comma)defs) $(LDFLAGS)
FUSE_CFLAGS := $(shell $(PKG_CONFIG) --cflags fuse3)
FUSE_LIBS   := $(shell $(PKG_CONFIG) --libs fuse3)
INIH_CFLAGS := $(shell $(PKG_CONFIG) --cflags inih)
INIH_LIBS   := $(shell $(PKG_CONFIG) --libs inih)

# Who may include whom is decided here, by -I: the keeper sees common, a plugin
# sees the ABI and plugins/lib, fuse.c alone sees libfuse.
COMMON_INC := -Icore/abi -Icore/common
ATTACH_INC := $(COMMON_INC) -Icore/attach
KEEPER_INC := $(COMMON_INC) -Icore/attach -Icore/keeper
WORKER_INC := $(COMMON_INC) -Icore/worker
SAFE_INC   := $(WORKER_INC) -Icore/safe
PLUGIN_INC := -Icore/abi -Iplugins/lib

objs = $(patsubst %.c,$(O)/obj/%.o,$(1))
COMMON_OBJ     := $(call objs,$(wildcard core/common/*.c))
ATTACH_OBJ     := $(call objs,$(wildcard core/attach/*.c))
KEEPER_OBJ     := $(call objs,$(wildcard core/keeper/*.c))
WORKER_OBJ     := $(call objs,$(wildcard core/worker/*.c))
SAFE_OBJ       := $(call objs,$(wildcard core/safe/*.c))
# What it does with the vault and the host's files as a worker does.
SAFE_SHARED    := $(patsubst %,$(O)/obj/core/worker/%.o,cache copy fds handles host host_tree journal journal_late lost \
	lent nodes passing path roots runs)
# When no library can be relied on: static where that is possible.
SAFE_STATIC    := $(if $(SAN),-pie,$(if $(wildcard $(shell $(CC) -print-file-name=rcrt1.o)),-static-pie,$(\
	)$(if $(wildcard $(shell $(CC) -print-file-name=libc.a)),-static,-pie)))
PLUGIN_LIB_OBJ := $(call objs,$(wildcard plugins/lib/*.c))
PLUGINS        := $(patsubst plugins/%.c,$(O)/plugins/%.so,$(wildcard plugins/*.c))
UNIT_TESTS     := $(patsubst tests/unit/%.c,$(O)/tests/unit/%,$(wildcard tests/unit/*.c))
TEST_TOOLS     := $(patsubst tests/tools/%.c,$(O)/tests/%,$(wildcard tests/tools/*.c))
TEST_PLUGINS   := $(patsubst tests/plugins/%.c,$(O)/tests/plugins/%.so,$(wildcard tests/plugins/*.c))

Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' '$(1)' '$(2)')

all: $(O)/lxcfsd $(O)/lxcfsd-worker $(O)/lxcfsd-safe $(PLUGINS)

$(O)/lxcfsd: $(KEEPER_OBJ) $(ATTACH_OBJ) $(COMMON_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^

$(O)/lxcfsd-worker: $(WORKER_OBJ) $(COMMON_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(FUSE_LIBS) $(INIH_LIBS) -ldl

$(O)/lxcfsd-safe: $(SAFE_OBJ) $(SAFE_SHARED) $(COMMON_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(SAFE_STATIC) $(filter-out -pie,$(ALL_LDFLAGS)) -o $@ $^

$(O)/plugins/%.so: $(O)/obj/plugins/%.o $(PLUGIN_LIB_OBJ)
	$(call say,PLUGIN,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(PLUGIN_LDFLAGS) -o $@.tmp $^ && mv -f $@.tmp $@

compile = $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(1) -MMD -MP -c -o $@ $<
$(O)/obj/core/common/%.o: core/common/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(call compile,$(COMMON_INC))
$(O)/obj/core/attach/%.o: core/attach/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(call compile,$(ATTACH_INC))
$(O)/obj/core/keeper/%.o: core/keeper/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(call compile,$(KEEPER_INC))
$(O)/obj/core/safe/%.o: core/safe/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(call compile,$(SAFE_INC))
$(O)/obj/core/worker/fuse.o: core/worker/fuse.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(call compile,$(WORKER_INC) $(FUSE_CFLAGS))
$(O)/obj/core/worker/config.o: core/worker/config.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(call compile,$(WORKER_INC) $(INIH_CFLAGS))
$(O)/obj/core/worker/%.o: core/worker/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(call compile,$(WORKER_INC))
$(O)/obj/plugins/%.o: plugins/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(call compile,$(PLUGIN_INC) -fPIC -fvisibility=hidden)

# A unit test links the whole worker but its main, and may include a plugin's
# source to reach its static functions.
$(O)/tests/unit/%: tests/unit/%.c $(filter-out %/main.o,$(WORKER_OBJ)) $(ATTACH_OBJ) $(COMMON_OBJ) $(PLUGIN_LIB_OBJ)
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(WORKER_INC) -Icore/attach -Iplugins/lib -Itests $(ALL_CFLAGS) -MMD -MP \
		$(ALL_LDFLAGS) -o $@ $< $(filter %.o,$^) $(FUSE_LIBS) $(INIH_LIBS) -ldl
# Programs that the suites use: no part of the product.
$(O)/tests/%: tests/tools/%.c
	$(call say,TOOL,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE $(WORKER_INC) -std=c17 $(OPT) $(WARN) -pthread -o $@ $<
# Plugins that only tests load, among them broken ones.
$(O)/tests/plugins/%.so: tests/plugins/%.c core/abi/lxcfsd/plugin.h
	$(call say,PLUGIN,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -Icore/abi -DLXCFSD_VERSION='"$(VERSION)"' -std=c17 $(OPT) $(WARN) -fPIC \
		-fvisibility=hidden $(PLUGIN_LDFLAGS) -o $@ $<

tests-built: all $(UNIT_TESTS) $(TEST_TOOLS) $(TEST_PLUGINS)

check: tests-built
	@tests/run --build $(O) unit golden
check-root: tests-built
	@tests/run --build $(O) mount survive containers readers
bless: all
	@tests/golden/run --build $(O) --bless

INSTALL = install
install: all
	$(INSTALL) -d $(DESTDIR)$(bindir) $(DESTDIR)$(libexecdir) $(DESTDIR)$(plugindir) \
		$(DESTDIR)$(includedir)/lxcfsd $(DESTDIR)$(unitdir) $(DESTDIR)$(sysconfdir)/lxcfsd/conf.d
	@sed 's|/usr/bin/|$(bindir)/|g; s|/etc/|$(sysconfdir)/|g' conf/systemd/lxcfsd.service >$(O)/lxcfsd.service
	@# under another name and renamed: a running daemon keeps what it has open
	@put() { $(INSTALL) -m "$$1" "$$2" "$$3.new" && mv -f "$$3.new" "$$3" && echo "  INSTALL $$3"; }; set -e; \
	put 755 $(O)/lxcfsd $(DESTDIR)$(bindir)/lxcfsd; \
	put 755 $(O)/lxcfsd-worker $(DESTDIR)$(libexecdir)/lxcfsd-worker; \
	put 755 $(O)/lxcfsd-safe $(DESTDIR)$(libexecdir)/lxcfsd-safe; \
	for p in $(PLUGINS); do put 644 $$p $(DESTDIR)$(plugindir)/$${p##*/}; done; \
	put 644 core/abi/lxcfsd/plugin.h $(DESTDIR)$(includedir)/lxcfsd/plugin.h; \
	put 644 $(O)/lxcfsd.service $(DESTDIR)$(unitdir)/lxcfsd.service; \
	if [ -e $(DESTDIR)$(sysconfdir)/lxcfsd/lxcfsd.ini ]; then \
		put 644 lxcfsd.ini $(DESTDIR)$(sysconfdir)/lxcfsd/lxcfsd.ini.dist; \
	else put 644 lxcfsd.ini $(DESTDIR)$(sysconfdir)/lxcfsd/lxcfsd.ini; fi
uninstall:
	rm -f $(DESTDIR)$(bindir)/lxcfsd $(DESTDIR)$(libexecdir)/lxcfsd-worker \
		$(DESTDIR)$(libexecdir)/lxcfsd-safe $(patsubst $(O)/plugins/%,$(DESTDIR)$(plugindir)/%,$(PLUGINS)) \
		$(DESTDIR)$(includedir)/lxcfsd/plugin.h $(DESTDIR)$(unitdir)/lxcfsd.service \
		$(DESTDIR)$(sysconfdir)/lxcfsd/lxcfsd.ini.dist
	@# the configuration goes only when it is still the one that was shipped
	@if cmp -s lxcfsd.ini $(DESTDIR)$(sysconfdir)/lxcfsd/lxcfsd.ini; then \
		rm -f $(DESTDIR)$(sysconfdir)/lxcfsd/lxcfsd.ini; fi
	-@rmdir $(DESTDIR)$(libexecdir) $(DESTDIR)$(plugindir) $(DESTDIR)$(libdir)/lxcfsd \
		$(DESTDIR)$(includedir)/lxcfsd $(DESTDIR)$(sysconfdir)/lxcfsd/conf.d \
		$(DESTDIR)$(sysconfdir)/lxcfsd 2>/dev/null || true

style:
	@scripts/style
clean:
	rm -rf $(O)
help:
	@echo 'all check check-root bless style install uninstall clean'
	@echo 'SAN=address,undefined  V=1  O=DIR  prefix= DESTDIR= CC= CFLAGS= LDFLAGS='

.PHONY: all tests-built check check-root bless install uninstall style clean help
.SECONDARY:
-include $(shell find $(O) -type f -name '*.d' 2>/dev/null)
