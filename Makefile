# scim_audit: SCIM 2.0 and a hash-linked audit log as a PostgreSQL extension.
# `make help` lists the targets.  The control file is the only place that
# states the version.

EXTENSION   = scim_audit
EXTVERSION  = $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" scim_audit.control)

MODULE_big  = scim_audit
CORE_SRCS   = $(sort $(filter-out src/core/builtin.c,$(wildcard src/core/*.c)) src/core/builtin.c)
PG_SRCS     = $(sort $(wildcard src/pg/*.c))
CLI_SRCS    = $(sort $(wildcard src/cli/*.c))
OBJS        = $(CORE_SRCS:.c=.o) $(PG_SRCS:.c=.o)
CLI_OBJS    = $(CLI_SRCS:.c=.o)
UPGRADES    = $(patsubst $(srcdir)/extension/upgrade/%,scim_audit--%,$(sort $(wildcard $(srcdir)/extension/upgrade/*.sql)))
DATA_built  = scim_audit--$(EXTVERSION).sql $(UPGRADES)
DOCS        = $(wildcard docs/*.md)
EXTRA_CLEAN = build src/core/builtin.c scim_audit--$(EXTVERSION).sql.tmp scim-audit $(CLI_OBJS)

PG_CPPFLAGS = -I$(srcdir)/src -DSCIM_AUDIT_VERSION='"$(EXTVERSION)"' $(JSONC_CPPFLAGS)
PG_CFLAGS   = -std=gnu11 -fvisibility=hidden
SHLIB_LINK  = $(JSONC_LIBS)

# Tests only: a finding ends the backend.
ifneq ($(SANITIZE),)
PG_CFLAGS  += -fsanitize=undefined -fno-sanitize-recover=undefined
SHLIB_LINK += -fsanitize=undefined
endif

# With clang, the flags and headers of a PostgreSQL that gcc built would warn.
ifneq ($(findstring clang,$(CC)),)
PG_CFLAGS  += -Wno-unknown-warning-option -Wno-ignored-optimization-argument -Wno-ignored-attributes
endif

# json-c is included as <json-c/json.h>; pkg-config knows where that stands.
JSONC_CPPFLAGS = $(addprefix -I,$(shell pkg-config --variable=includedir json-c 2>/dev/null))
JSONC_LIBS     = $(or $(shell pkg-config --libs json-c 2>/dev/null),-ljson-c)

PG_CONFIG  ?= pg_config

# Targets that need no server headers must work before PostgreSQL's are there.
STANDALONE = help deps demo serve doctor restarts test matrix bench unit fuzz crash lint dist
ifneq ($(filter-out $(STANDALONE),$(or $(MAKECMDGOALS),all)),)
PGXS := $(shell $(PG_CONFIG) --pgxs)
ifeq ($(PGXS),)
$(error $(PG_CONFIG) is missing or has no --pgxs: install the PostgreSQL server headers, or run 'make deps')
endif
# pg_regress: sql/ and expected/, run in the order of their numbers.
REGRESS      = $(patsubst sql/%.sql,%,$(sort $(wildcard sql/*.sql)))
REGRESS_OPTS = --inputdir=. --load-extension=pgcrypto --load-extension=scim_audit --encoding=UTF8 --no-locale
include $(PGXS)
endif
srcdir ?= .

# The CREATE EXTENSION script: its parts in numbered order.
SQL_PARTS = $(sort $(wildcard $(srcdir)/extension/*.sql))
scim_audit--$(EXTVERSION).sql: $(SQL_PARTS) scim_audit.control
	cat $(SQL_PARTS) > $@.tmp
	mv $@.tmp $@

# Upgrade scripts: extension/upgrade/OLD--NEW.sql.
$(UPGRADES): scim_audit--%: $(srcdir)/extension/upgrade/%
	cp $< $@

# The RFC 7643 schema documents, as C strings.
SCHEMA_DOCS = $(sort $(wildcard $(srcdir)/src/core/schemas/*.json))
src/core/builtin.c: $(SCHEMA_DOCS) tools/embed_json
	tools/embed_json $(SCHEMA_DOCS) > $@.tmp
	mv $@.tmp $@

# No dependency tracking in PGXS: any header rebuilds everything (seconds).
$(OBJS) $(OBJS:.o=.bc): $(wildcard src/core/*.h src/pg/*.h) scim_audit.control
$(CLI_OBJS): $(wildcard src/core/*.h src/cli/*.h) scim_audit.control

# The command-line program: src/core, libpq and libcrypto, nothing of the server.
CLI_LIBS = -L$(shell $(PG_CONFIG) --libdir) -lpq $(or $(shell pkg-config --libs libcrypto 2>/dev/null),-lcrypto) $(JSONC_LIBS)
$(CLI_OBJS): override CPPFLAGS := -I$(srcdir)/src -I$(shell $(PG_CONFIG) --includedir) $(addprefix -I,$(shell pkg-config --variable=includedir libcrypto 2>/dev/null)) -DSCIM_AUDIT_VERSION='"$(EXTVERSION)"'
scim-audit: $(CLI_OBJS) $(CORE_SRCS:.c=.o)
	$(CC) $(CFLAGS) $^ $(LDFLAGS) $(CLI_LIBS) -lm -o $@

ifdef PGXS
all: scim-audit

install: install-cli
install-cli: scim-audit
	$(MKDIR_P) '$(DESTDIR)$(bindir)' '$(DESTDIR)$(mandir)/man1'
	$(INSTALL_PROGRAM) scim-audit '$(DESTDIR)$(bindir)/scim-audit'
	$(INSTALL_DATA) $(srcdir)/docs/scim-audit.1 '$(DESTDIR)$(mandir)/man1/scim-audit.1'

uninstall: uninstall-cli
uninstall-cli:
	rm -f '$(DESTDIR)$(bindir)/scim-audit' '$(DESTDIR)$(mandir)/man1/scim-audit.1'

.PHONY: install-cli uninstall-cli
endif

help: ## list the targets
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-22s %s\n", $$1, $$2}'
	@echo '  make, make install and make installcheck are those of every PGXS extension (PG_CONFIG=…)'

deps: ## install the packages that are missing (DEPS=skip: only name them)
	@tools/deps

demo: ## play the story on a private, throw-away PostgreSQL (KEEP=1 leaves it up)
	@tools/deps demo
	@tools/demo

serve: ## nginx, PostgREST and a private PostgreSQL on loopback, until Ctrl-C (PORT=…)
	@tools/deps serve
	@tools/serve $(PORT)

doctor: ## what identity providers' set-up pages would say: URL=… TOKEN=… (WRITE=1: a user's life, too)
	@SCIM_TOKEN='$(TOKEN)' tools/doctor $(if $(WRITE),--write) '$(URL)'

test: deps ## every kind of test; ends with "N passed, N failed" (test/run KIND runs one)
	@test/run

matrix: ## build and test with each PostgreSQL found (PG_CONFIGS='DIR…' adds some, KINDS='tap…')
	@tools/matrix $(KINDS)

restarts: ## 16 clients write for a minute while the servers restart (SEED=…)
	@tools/deps
	@test/http/restarts "$$(mktemp -d "$${TMPDIR:-/tmp}/scim_audit_restarts.XXXXXX")" 16 60 $(SEED)

interop: ## the log as an independent client of transparency logs reads it (needs Go)
	@tools/deps
	@test/interop/run

unit: ## src/core under ASan and UBSan, without a server
	@test/run unit

fuzz: ## libFuzzer on one parser: make fuzz FUZZ=filter T=60 (seconds)
	@tools/deps fuzz
	@test/fuzz/run $(or $(FUZZ),all) $(or $(T),60)

bench: ## what the extension costs, side by side with plain SQL (some 22 minutes; BENCH=short: 6)
	@tools/deps bench
	@for name in audit_row audit_overhead scim_apply paging verify memory http; do \
		printf '\n== %s\n\n' $$name; bench/$$name $(BENCH) || exit 1; done

crash: ## crashes under load: make crash N=100
	@tools/deps
	@CRASHES=$(or $(N),100) test/run tap 001_crash

lint: ## layers, exported symbols, comments and privileges of SQL objects
	@test/run lint

dist: ## a release archive of the committed tree
	@mkdir -p build
	git archive --format=tar.gz --prefix=$(EXTENSION)-$(EXTVERSION)/ -o build/$(EXTENSION)-$(EXTVERSION).tar.gz HEAD

.PHONY: help deps demo serve doctor restarts interop test matrix bench unit fuzz crash lint dist
