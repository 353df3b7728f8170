# Lightsout: `make` lists what there is. Everything lands in .venv and .cache inside this folder.

PYTHON ?= python3
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
UV := .cache/lock/bin/uv

# Compiled kernels are kept: a second start plans within seconds.
export NUMBA_CACHE_DIR := $(CURDIR)/.cache/numba
# The browser of the tests marked `browser`; without it they are skipped and say so.
export LIGHTSOUT_CHROMIUM ?= /usr/bin/chromium
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup demo test check bench sweep deaths fuzz lock browser broker vehicles clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## virtual environment with the locked dependencies (a second call returns at once)

$(READY): requirements.lock setup.py setup.cfg
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "lightsout needs Python 3.11 or newer; '$(PYTHON)' is missing or older." \
	    "Name another one: make PYTHON=/path/to/python3 setup" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "'$(PYTHON)' has no venv module. On Debian and Ubuntu: apt-get install python3-venv" >&2; \
	  exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@echo "installing the locked dependencies into $(VENV) (a minute or two)"
	@$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## run the small lights-out centre and serve its page
	@$(BIN)/lightsout demo

test: setup browser broker vehicles check ## all checks and tests
	$(BIN)/pytest -n 2 --dist worksteal

check: setup ## ruff, mypy, import contracts, tidy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest test/architecture/test_tidy.py

bench: setup ## simulated seconds per second, planning included
	$(BIN)/lightsout bench sim sites/jd_small --hours 1

sweep: setup ## 50 seeds small, 5 medium, faults at random rates: contacts, invariants, deadlocks (resumable)
	@mkdir -p out
	$(BIN)/lightsout sweep sites/jd_small --seeds 50 --hours 1 --faults random --results out/small.jsonl
	$(BIN)/lightsout sweep sites/jd_medium --seeds 5 --hours 2 --faults random --results out/medium.jsonl

deaths: setup ## a robot dies for good at every node of the core, one run each (hours of work)
	$(BIN)/lightsout sweep sites/jd_small --death-at-every-node --window 120

fuzz: setup ## look for bytes that break a reader (FUZZ_S=60 seconds each of 8); crashes become tests
	$(BIN)/python test/fuzz/fuzz.py --seconds $(or $(FUZZ_S),60) 2>&1 | grep --line-buffered -v -e '^#' -e '^INFO' -e '^WARNING'

lock: ## write requirements.lock anew from setup.py (LOCK=--upgrade: newest versions)
	@test -x $(UV) || { $(PYTHON) -m venv .cache/lock && .cache/lock/bin/pip install --quiet uv; }
	echo "opencv-python; sys_platform == 'never'" >.cache/lock/overrides.txt
	$(UV) pip compile setup.py --override .cache/lock/overrides.txt --all-extras --universal --python-version 3.11 --generate-hashes \
	  --no-annotate --no-strip-extras --no-config --custom-compile-command "make lock" --quiet $(LOCK) \
	  --output-file requirements.lock

browser: ## Chromium for the page's tests, where it can be installed
	@if test -x "$(LIGHTSOUT_CHROMIUM)"; then exit 0; fi; \
	if test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
	  export DEBIAN_FRONTEND=noninteractive; \
	  apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium >/dev/null; \
	fi; \
	if ! test -x "$(LIGHTSOUT_CHROMIUM)"; then \
	  echo "No Chromium at $(LIGHTSOUT_CHROMIUM): the page's tests will be skipped. To run them:" \
	    "'apt-get install chromium' as root, or set LIGHTSOUT_CHROMIUM to its path." >&2; \
	fi

broker: ## Mosquitto for the tests over a real broker, where it can be installed
	@export PATH="$$PATH:/usr/sbin"; if command -v mosquitto >/dev/null; then exit 0; fi; \
	if test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
	  export DEBIAN_FRONTEND=noninteractive; \
	  apt-get update -qq && apt-get install -qq -y --no-install-recommends mosquitto >/dev/null; \
	fi; \
	if ! command -v mosquitto >/dev/null; then \
	  echo "No Mosquitto: the tests over a real broker will be skipped. To run them:" \
	    "'apt-get install mosquitto' as root." >&2; \
	fi

vehicles: ## an independent VDA 5050 client for the tests, where it can be installed
	@if ! command -v npm >/dev/null && test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
	  export DEBIAN_FRONTEND=noninteractive; \
	  apt-get update -qq && apt-get install -qq -y --no-install-recommends nodejs npm >/dev/null; \
	fi; \
	cd test/coaty; \
	if cmp -s package-lock.json node_modules/.lightsout-lock; then exit 0; fi; \
	if command -v npm >/dev/null && npm ci --silent --no-audit --no-fund; then \
	  cp package-lock.json node_modules/.lightsout-lock; \
	else \
	  echo "No npm, or no registry: the tests with Coaty's vehicles will be skipped. To run them:" \
	    "'apt-get install nodejs npm' as root, then 'make vehicles'." >&2; \
	fi

clean: ## remove everything that was generated, the environment included
	rm -rf $(VENV) .cache build install log dist out *.egg-info \
	  .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache test/coaty/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
