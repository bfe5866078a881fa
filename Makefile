# Haylift: every target does its own set-up (redone only when a lock file changes) and prints its steps.
.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-print-directory

# Folder whose files `make up` uploads; `SAMPLES=none` uploads nothing.
SAMPLES ?= samples
# Where the running system keeps its state; a second system needs its own, and `PORTS=free`.
STATE_DIR ?= .local
PORTS ?= default
# Logins and searches a caller has a minute, such as 10/60, or `off`; empty keeps what the system has.
RATE_LIMITS ?=
# `on` reads scans by OCR (its packages are had once, some 100 MB), `off` rejects them; empty keeps what the system has.
OCR ?=

SETUP := python3 local/setup_environment.py
PYTHON := .venv/bin/python
CHECKS := $(PYTHON) -m local.checks

.PHONY: help setup up down status clean test lint synth verify lock openapi

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo "  make up SAMPLES=DIR uploads another folder, make up RATE_LIMITS=off lets callers do as much as they like."
	@echo "  make up OCR=on reads scans too."
	@echo "  The local system: $(PYTHON) -m local --help"

setup: ## Set up the environments only
	@$(SETUP)

up: setup ## Bring the whole system up on this machine, upload samples/, ask three questions
	@$(PYTHON) -m local up --state-dir "$(STATE_DIR)" --ports $(PORTS) --samples "$(SAMPLES)" \
		$(if $(RATE_LIMITS),--rate-limits "$(RATE_LIMITS)") $(if $(OCR),--ocr "$(OCR)")

down: ## Stop what `make up` started; its state stays
	@$(SETUP) uv workspace
	@$(PYTHON) -m local down --state-dir "$(STATE_DIR)"

status: ## Say what of the local system runs
	@$(SETUP) uv workspace
	@$(PYTHON) -m local status --state-dir "$(STATE_DIR)"

clean: ## Stop the local system and remove its state
	@$(SETUP) uv workspace
	@$(PYTHON) -m local clean --state-dir "$(STATE_DIR)"

test: setup ## Lint, types, import rules and all tests (own ports and state: passes while `make up` runs)
	@$(CHECKS) test

lint: setup ## Format, lint, types and import rules only
	@$(CHECKS) lint

synth: setup ## Synthesise the CDK app for all stages, with CDK's own template validation
	@$(CHECKS) synth

verify: setup ## Everything in `test`, and the slow checks
	@$(CHECKS) verify

lock: setup ## Resolve requirements/*.in again into locked files with hashes
	@$(CHECKS) lock

openapi: setup ## Write the OpenAPI document again, from the functions' applications
	@$(PYTHON) -m local.api_reference
