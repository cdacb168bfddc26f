# Each target installs what it needs into .venv: a machine with git, make and Python 3.11, 3.12 or 3.13 is enough.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help doctor setup run repro compare sweep queue bench push pull show diff gate fresh verify fsck merge-lock plots architecture \
	tensorboard netron restore provenance audit demo api evaluate-drawn load test test-all lint lock clean

# The newest Python that works; `make PYTHON=...` names another.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$p && break; done)
export PATH := $(CURDIR)/.venv/bin:$(PATH)

# What is installed: the pipeline's packages, and on top of these what some targets need. GPU=1 adds CUDA's libraries,
# STORAGE=s3 (or ssh, gs, azure) what DVC needs for that storage.
RUN := .venv/.ready $(if $(GPU),.venv/.ready-gpu) $(STORAGE:%=.venv/.ready-%)
APPS := $(RUN) .venv/.ready-apps
DEV := $(APPS) .venv/.ready-view .venv/.ready-dev

# Absolute, because an experiment runs in a copy of the project elsewhere; by the shell, because make's own abspath takes
# a path with a space for two.
ifneq ($(MNIST_DIR),)
GIVEN := $(MNIST_DIR)
override MNIST_DIR := $(shell CDPATH= cd -- '$(subst ','\'',$(GIVEN))' 2>/dev/null && pwd)
$(if $(MNIST_DIR),,$(error MNIST_DIR=$(GIVEN): no such folder; name the one that has the four .gz files))
export MNIST_DIR
endif

# DVC keeps an experiment, and what was edited before it, as commits: these need a name, also where git has none.
ifeq ($(shell git config user.email),)
$(foreach who,AUTHOR COMMITTER,$(eval export GIT_$(who)_NAME := nobody)$(eval export GIT_$(who)_EMAIL := nobody@localhost))
endif

help: ## List what can be made
	@awk -F ':.*## ' '/^##@ / {print "\n" substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

##@ Train
EMBEDDED := dataset=digits recipe=embedded robustness.images=60
run: $(RUN) ## Run the whole pipeline on the embedded digits: no download, results in runs/, nothing else changed
	@python -m tools.experiment '$(or $(NAME),embedded)' --set $(EMBEDDED) --keep plots metrics models

repro: $(RUN) ## Bring the pipeline up to date on MNIST: MNIST_DIR=folder has its four files; PULL=1 fetches what the storage has
	@python -m tools.repro $(if $(PULL),--pull)

compare: $(RUN) ## Train every recipe and write compare/REPORT.md: DATASET=digits leaves its own in runs/; PULL=1
	@python -m tools.comparison $(if $(PULL),--pull )$(if $(DATASET),'$(subst /,-,$(DATASET))' --set 'dataset=$(DATASET)')

SET := dataset=digits recipes.fast_cnn.epochs=5
KEYS := recipes.fast_cnn.schedule.peak=0.003,0.01,0.03 recipes.fast_cnn.optimizer.weight_decay=0.01,0.05
sweep: $(RUN) .venv/.ready-search ## Search hyper-parameters: KEYS="key=values ..." SET="key=value ..." DRAWS=20 SAMPLER=tpe SEED=1 WRITE=1 (tools/sweep.py)
	@python -m tools.sweep $(foreach key,$(KEYS),"$(key)") $(if $(SET),--set $(foreach key,$(SET),"$(key)")) \
		$(if $(DRAWS),--draws $(DRAWS)) $(if $(SAMPLER),--sampler $(SAMPLER)) $(if $(SEED),--seed $(SEED)) $(if $(WRITE),--write)

queue: $(RUN) ## Run what dvc exp run --queue has queued, one after the other (docs/experiments.md)
	@python -m tools.mend && python -m tools.unicode_dvc exp run --run-all

WHAT := seeds
bench: $(RUN) ## Measure over seeds: RECIPE=name SEEDS=5; or WHAT=step, training_time, ...: ROUNDS=7 (docs/recipes.md)
	@python -m benchmarks.$(WHAT) $(if $(RECIPE),--recipe '$(RECIPE)') $(if $(SEEDS),--seeds $(SEEDS)) $(if $(ROUNDS),--rounds $(ROUNDS))
	@python -m benchmarks.report

push: $(RUN) ## Store outputs and run-cache: docs/storage.md; STORAGE=s3 (or ssh, gs, azure) installs its packages
	@python -m tools.storage push

pull: $(RUN) ## Fetch outputs and run-cache from the storage: STORAGE=...
	@python -m tools.storage pull

##@ Look
made = { test -e $(1) || { echo "$(1) is not there; run make repro first" >&2; exit 1; }; }
show: $(RUN) ## List the experiments on this commit, the best validation accuracy first
	@python -m tools.show

BASE := main
diff: $(RUN) ## Compare with BASE=main, with verdicts: runs/review/report.md and .html; THIS=branch instead of this folder
	@python -m tools.review '$(BASE)' $(if $(THIS),'$(THIS)')

gate: $(RUN) ## Fail if a figure is worse than in BASE=main by more than tools/review/tolerances.yaml allows
	@python -m tools.review '$(BASE)' $(if $(THIS),'$(THIS)') --gate

fresh: $(RUN) ## Fail if the committed locks are of other sources or parameters: seconds, without data
	@python -m tools.fresh

verify: $(RUN) ## Build the embedded pipeline twice from nothing and compare all bytes: RECIPE=name; ALL=1 as params.yaml says (MNIST)
	@python -m tools.rebuild_twice $(if $(ALL),,--set $(EMBEDDED) $(if $(RECIPE),'recipe=$(RECIPE)'))

fsck: $(RUN) ## Re-hash DVC's cache and the outputs, and say how to mend what is damaged (docs/faults.md)
	@python -m tools.fsck

plots: $(RUN) ## Put DVC's plots and all pictures on one page that needs no network: BASE=main compares
	@python -m dvc plots $(if $(filter command line,$(origin BASE)),diff '$(BASE)' $(THIS),show) --out runs/plots

architecture: $(RUN) ## Print the trained network's summary and draw it, where Graphviz is installed
	@python -m tools.architecture

tensorboard: $(RUN) ## Serve curves, images and graphs of all runs here on http://localhost:6006
	@$(call made,logs) && tensorboard --logdir logs

netron: $(RUN) .venv/.ready-view ## Serve the trained network in Netron on http://localhost:8081
	@$(call made,models/model.keras) && netron --host localhost --port 8081 models/model.keras

##@ Use
restore: $(RUN) ## Go to a commit with its data and models: REV=name, or WHEN="1 week ago" (docs/experiments.md)
	@python -m tools.restore $(if $(REV),'$(REV)') $(if $(WHEN),--when '$(WHEN)')

demo: $(APPS) ## Serve a page to draw digits on, http://127.0.0.1:7860, after make repro or make run: PORT=...
	@python -m apps.demo $(if $(PORT),--port $(PORT)) $(if $(ALLOW),--allow)

api: $(APPS) ## Serve the model over HTTP, http://127.0.0.1:8000: PORT=... MODEL=file, or STAGE=prod of the registry
	@$(if $(STAGE),python -m tools.promoted '$(STAGE)' &&) python -m apps.api $(if $(PORT),--port $(PORT)) $(if $(MODEL)$(STAGE),--model "$(or $(MODEL),runs/$(STAGE)/models/model.tflite)") $(if $(ALLOW),--allow)

provenance: $(RUN) ## Say where a model comes from: MODEL=file (docs/provenance.md)
	@python -m tools.provenance "$(or $(MODEL),models/model.keras)"

evaluate-drawn: $(RUN) ## Measure the model on the drawings that were corrected on the page: MODEL=file
	@python -m tools.evaluate_drawn $(if $(MODEL),--model "$(MODEL)") $(if $(ALLOW),--allow)

load: $(APPS) ## Measure the HTTP service under load: LOAD="--seconds 600 --kind png"
	@python -m benchmarks.load $(or $(LOAD),--seconds 30)

##@ Develop
merge-lock: $(RUN) ## Resolve a merge conflict in dvc.lock stage by stage, after those of the other files
	@python -m tools.merge_lock

PYTEST := python -m pytest -n logical --maxprocesses 4
test: $(DEV) ## Run the quick tests: ARGS="-k name" is for pytest
	@$(PYTEST) --dist worksteal -m "not (pipeline or browser or fuzz or mnist)" $(ARGS)

test-all: $(DEV) ## Run all tests: the whole pipeline, a browser, and MNIST where MNIST_DIR names its files
	@$(PYTEST) --dist loadscope $(ARGS)

lint: $(DEV) ## Check style, format, types, which room imports which, scripts, workflows and the Dockerfile
	@ruff check . && ruff format --check . && mypy && lint-imports
	@shellcheck .ci/* && zizmor --offline --quiet .github && .ci/actionlint && hadolint Dockerfile

audit: $(DEV) ## Look the locked packages up among known vulnerabilities, and list them: runs/sbom.json
	@python -m tools.audit

##@ Set up
doctor: ## Say what is missing on this machine; needs nothing but a Python
	@found=$$(command -v "$(PYTHON)" python3 python | head -n 1); test -n "$$found" \
		|| { echo "no Python: install 3.11, 3.12 or 3.13 (Debian: python3 python3-venv)" >&2; exit 1; }; "$$found" -m tools.doctor

setup: $(RUN) ## Install the pipeline's packages (the others do it too)

lock: $(RUN) ## Resolve pyproject.toml into the lock files: UPGRADE=1 takes the newest releases
	@python -m tools.lock $(if $(UPGRADE),--upgrade)

clean: ## Remove the environment and what runs left behind; outputs and DVC's cache stay
	@rm -rf .venv logs runs models/checkpoint* .coverage* .hypothesis .schemathesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

add = python -m tools.install $< && python -m tools.configure_dvc && touch $@
.venv/.ready: requirements.lock requirements-uv.lock
	@test -n "$(PYTHON)" || { echo "no Python 3.11, 3.12 or 3.13 with venv found: install one (Debian: python3-venv) or name it: make PYTHON=..." >&2; exit 1; }
	@echo "setting up .venv with $$("$(PYTHON)" --version); this takes a minute, once" >&2
	@rm -rf .venv && "$(PYTHON)" -m venv .venv
	@$(add)

.venv/.ready-%: requirements-%.lock .venv/.ready
	@echo "adding what $< lists" >&2
	@$(add)
