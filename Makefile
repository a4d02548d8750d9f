# `make demo` and `make test` do all their own set-up; run again, they are quick.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

APT := $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends

# Some set this for their shell. Hundreds of programs that the tests start would compile the package.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test check static-checks compiled-tests coverage bench study study-model study-statistics gallery site man release iso image setup system test-system iso-system image-system bench-system clean

help:
	@echo "make demo    the main job: ten long requests, a second server, rr against lc"
	@echo "make test    every test, against a real IPVS kernel"
	@echo "make check   format, lint, types, layers and the quick tests"
	@echo "make bench   the figures that the documentation speaks of, measured here"
	@echo "make study   are IPVS's schedulers of use? Half an hour, goes on where it was, into docs/study"
	@echo "make study-model  each scheduler on real kernels and on the model, into docs/model.md"
	@echo "make study-statistics  how often the verdict cries wolf, and finds a real 5 %"
	@echo "make site    the documentation as a site, into build/site; opens without a network"
	@echo "make man     the manual pages, from the commands, into man/man1/"
	@echo "make gallery  the scenarios of docs/gallery/ on the kernel and on the model, into their pages"
	@echo "make iso     the director as a machine image, for lab --kernel qemu (docs/iso.md)"
	@echo "make release sdist and wheel, checked and tried in an empty environment, into dist/"
	@echo "make image   ipvsload and the lab's kernel as a container image (docs/container.md)"
	@echo "make setup   .venv, and what the lab needs of this machine's packages"
	@echo "make coverage    what part of the package the quick tests run"
	@echo "make clean   remove what these made"

demo: setup
	$(BIN)/ipvsload run scenarios/skew.yaml

test: LEFT_OUT =
test: BESIDE = iso image
test: setup test-system iso-system image-system check
	IPVSLOAD_SCREENSHOTS=$(CURDIR)/screenshots $(BIN)/pytest -m "kernel or programs" -n 4 --dist worksteal

LEFT_OUT = and not long

# The quick tests mostly wait for what they started: six at a time take half as long as two,
# also on two processors. `make test` has the long ones among them, too.
check: $(VENV)/ready
	@$(MAKE) --no-print-directory -j3 -O $(BESIDE) static-checks compiled-tests
	$(BIN)/pytest -m "not kernel and not programs $(LEFT_OUT)" -n 6 --dist worksteal

static-checks: $(VENV)/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# pytest rewrites the assertions of all files of tests: once here, not in each of its processes.
# What it has to say about a file it says again below.
compiled-tests: $(VENV)/ready
	@$(BIN)/pytest --collect-only -qq > /dev/null 2>&1 || true

# What part of the package the quick tests run; see pyproject.toml for what counts. Counting
# slows them down, so `make test` does without.
coverage: setup
	$(BIN)/pytest -m "not kernel and not programs" -n 6 --dist worksteal --cov

bench: setup iso bench-system
	$(BIN)/python -m benchmarks

# Takes half an hour of two processors that do nothing else; interrupted, it goes on from there.
study: setup
	$(BIN)/python -m benchmarks.scheduler_study

# Takes a quarter of an hour.
study-model: setup iso
	$(BIN)/python -m benchmarks.model_study

# Takes an hour, most of it on the kernel.
study-statistics: setup
	$(BIN)/python -m benchmarks.statistics_study

# `make check` builds it, too, as strictly, for a test.
site: $(VENV)/ready
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "open build/site/index.html"

man: $(VENV)/ready
	$(BIN)/python -m man.pages

# Takes half a minute a page.
gallery: setup iso
	$(BIN)/python -m benchmarks.gallery

release: setup
	$(BIN)/python -m release

# Nothing to do when it is there; SUITE=bookworm makes one with an older kernel.
iso: $(VENV)/ready iso-system
	@$(MAKE) --no-print-directory -j1 -C iso

# Nothing to do when it is there and nothing has changed; the tests run it.
image: image-system
	@$(MAKE) --no-print-directory -j1 -C deploy

setup: system $(VENV)/ready

HOST := $(shell dpkg --print-architecture 2>/dev/null || echo amd64)
# For whom `make iso` is: amd64 or arm64.
ARCH ?= $(HOST)
# What the lab needs of Debian: a kernel with IPVS that runs as a process (only
# amd64 has it), the tools to wire it (nft for direct routing), to balance without IPVS and to show it,
# and ab to compare with.
PACKAGES := $(if $(filter amd64,$(HOST)),user-mode-linux) kmod iproute2 iptables nftables ipvsadm apache2-utils
# What the tests need besides: a browser for the page, a real Prometheus, a keepalived to find in
# the director, and nginx as real servers.
TEST_PACKAGES := chromium chromium-driver fonts-dejavu-core keepalived nginx-light prometheus
# What `make bench` measures our load beside.
BENCH_PACKAGES := nginx-light wrk
# What builds the director's image and runs it.
ISO_PACKAGES := $(shell awk '!/^\#/ && (NF == 1 || $$2 == "$(ARCH)") { print $$1 }' iso/build-packages)
# What builds the container image and runs it; crun is podman's first choice, and runc is for
# machines whose cgroups are of both versions.
IMAGE_PACKAGES := podman runc uidmap mmdebstrap debian-archive-keyring
MISSING = $(foreach p,$(1),$(if $(shell dpkg-query -W -f '$${db:Status-Status}' $(p) 2>/dev/null | grep -x installed),,$(p)))

define install
	@echo "installing: $(strip $(1))"
	@command -v apt-get >/dev/null || { echo "no apt-get here; install by hand: $(1)"; exit 1; }
	@$(if $(SUDO),command -v sudo >/dev/null || { echo "run as root: apt-get install $(1)"; exit 1; },true)
	$(SUDO) apt-get update -qq
	$(APT) $(1)
endef

system:
	$(if $(strip $(call MISSING,$(PACKAGES))),$(call install,$(call MISSING,$(PACKAGES))))

test-system:
	$(if $(strip $(call MISSING,$(TEST_PACKAGES))),$(call install,$(call MISSING,$(TEST_PACKAGES))))

bench-system:
	$(if $(strip $(call MISSING,$(BENCH_PACKAGES))),$(call install,$(call MISSING,$(BENCH_PACKAGES))))

iso-system:
	$(if $(strip $(call MISSING,$(ISO_PACKAGES))),$(call install,$(call MISSING,$(ISO_PACKAGES))))

image-system:
	$(if $(strip $(call MISSING,$(IMAGE_PACKAGES))),$(call install,$(call MISSING,$(IMAGE_PACKAGES))))

$(VENV)/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "ipvsload needs Python 3.11 or later; name one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { $(SUDO) apt-get update -qq && $(APT) $(notdir $(PYTHON))-venv; } || { echo "no venv module for $(PYTHON); install it with: apt-get install $(notdir $(PYTHON))-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt -e '.[dev]'
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib || true # pip does it with one processor
	@touch $@

# Files of an ordinary user's containers belong to other users.
clean:
	if [ -d build/image ] && [ "$$(id -u)" != 0 ]; then podman unshare rm -rf build/image; fi
	rm -rf $(VENV) build dist runs screenshots .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
