# Everything sets itself up: a machine with git, make and Python 3.11, 3.12 or 3.13 is enough.

SHELL := /bin/bash
.DEFAULT_GOAL := help

# The newest Python that works; name another with `make PYTHON=...`.
ifndef PYTHON
PYTHON := $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$p && break; done)
endif

VENV := .venv
READY := $(VENV)/.ready
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

# Absolute, because an experiment runs in a copy of the project elsewhere.
ifdef MNIST_DIR
export MNIST_DIR := $(abspath $(MNIST_DIR))
endif

# What `make run` trains, and the folder where it puts the metrics and pictures.
RUN := runs/embedded

.PHONY: help
help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements.lock
	@test -n "$(PYTHON)" || { echo "no Python 3.11, 3.12 or 3.13 with venv found: install one (Debian: python3-venv) or name it: make PYTHON=..."; exit 1; }
	@echo "setting up $(VENV) with $$($(PYTHON) --version); this takes a minute or two, once"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@# DVC's default is a folder that every user of the machine can write to, and it unpickles what lies there. The path
	@# must be absolute (an experiment changes directory), so it cannot stand in the committed .dvc/config.
	@$(VENV)/bin/dvc config --local core.site_cache_dir $(CURDIR)/.dvc/site-cache
	@touch $@

.PHONY: setup
setup: $(READY) ## Install the locked dependencies into .venv (the others do it too)

.PHONY: run
run: $(READY) ## Run the whole pipeline on the embedded dataset: no download, nothing changed here
	@dvc exp run --temp --force --name embedded --set-param dataset=digits
	@mkdir -p $(RUN)
	@dvc get --quiet --force . plots --rev embedded --out $(RUN)/plots
	@dvc get --quiet --force . metrics --rev embedded --out $(RUN)/metrics
	@python -c 'import json, digits.scoring as s; print(s.table(json.load(open("$(RUN)/metrics/test.json"))))'
	@echo "pictures: $(RUN)/plots   metrics: $(RUN)/metrics   undo: dvc exp remove embedded"

.PHONY: repro
repro: $(READY) ## Bring the pipeline up to date (MNIST; MNIST_DIR=folder takes the four files from there)
	@dvc repro

.PHONY: test
test: $(READY) ## Run the tests; those on real MNIST too where MNIST_DIR or ../shared/mnist is
	@python -m pytest

.PHONY: lint
lint: $(READY) ## Check style, format and types
	@ruff check .
	@ruff format --check .
	@mypy

.PHONY: tensorboard
tensorboard: $(READY) ## Open the training curves of all runs on http://localhost:6006
	@tensorboard --logdir logs

.PHONY: lock
lock: ## Resolve the dependencies anew into requirements.lock (needs uv)
	@uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
		--no-header --no-annotate --group dev pyproject.toml --output-file requirements.lock

.PHONY: clean
clean: ## Remove the environment and what runs left behind; outputs and DVC's cache stay
	@rm -rf $(VENV) logs runs .pytest_cache .mypy_cache .ruff_cache
