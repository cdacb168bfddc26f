# Everything sets itself up: a machine with git, make and Python 3.11, 3.12 or 3.13 is enough.

SHELL := /bin/bash
.DEFAULT_GOAL := help

# The newest Python that works; name another with `make PYTHON=...`.
ifndef PYTHON
PYTHON := $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$p && break; done)
endif

# GPU=1 installs CUDA's libraries too.
LOCK := requirements$(if $(GPU),-gpu).lock
VENV := .venv
READY := $(VENV)/.ready-$(LOCK)
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

# Absolute, because an experiment runs in a copy of the project elsewhere.
ifneq ($(MNIST_DIR),)
export MNIST_DIR := $(shell realpath -m "$(MNIST_DIR)")
endif

# DVC keeps an experiment, and what was edited before it, as commits: these need a name, also where git has none.
ifeq ($(shell git config user.email),)
export GIT_AUTHOR_NAME := nobody
export GIT_AUTHOR_EMAIL := nobody@localhost
export GIT_COMMITTER_NAME := nobody
export GIT_COMMITTER_EMAIL := nobody@localhost
endif

# The experiment of `make run`, and the folder where it puts the metrics and pictures.
NAME := embedded
RUN := runs/$(NAME)

.PHONY: help
help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): $(LOCK)
	@test -n "$(PYTHON)" || { echo "no Python 3.11, 3.12 or 3.13 with venv found: install one (Debian: python3-venv) or name it: make PYTHON=..."; exit 1; }
	@echo "setting up $(VENV) with $$($(PYTHON) --version); this takes a minute or two, once" >&2
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK)
	@# DVC's default is a folder that every user of the machine can write to, and it unpickles what lies there. The path
	@# must be absolute (an experiment changes directory), so it cannot stand in the committed .dvc/config.
	@mkdir -p .dvc/site-cache && chmod 700 .dvc/site-cache
	@$(VENV)/bin/dvc config --local core.site_cache_dir "$(CURDIR)/.dvc/site-cache"
	@# DVC's own page of plots loads its scripts from the network; this one has them inside.
	@$(VENV)/bin/python -m tools.plots_page $(VENV)/plots.html
	@$(VENV)/bin/dvc config --local plots.html_template "$(CURDIR)/$(VENV)/plots.html"
	@touch $@

.PHONY: setup
setup: $(READY) ## Install the locked dependencies into .venv (the others do it too)

.PHONY: run
run: $(READY) ## Run the whole pipeline on the embedded dataset: no download, nothing changed here
	@dvc exp remove $(NAME) &>/dev/null || true
	@dvc exp run --temp --name $(NAME) --set-param dataset=digits
	@rm -rf $(RUN) && mkdir -p $(RUN) # dvc get would put a folder inside one that is there
	@dvc get --quiet --force . plots --rev $(NAME) --out $(RUN)/plots
	@dvc get --quiet --force . metrics --rev $(NAME) --out $(RUN)/metrics
	@dvc get --quiet --force . models --rev $(NAME) --out $(RUN)/models
	@python -c 'import json, digits.scoring as s; print(s.table(json.load(open("$(RUN)/metrics/test.json"))))'
	@echo "pictures: $(RUN)/plots   metrics: $(RUN)/metrics   models: $(RUN)/models   undo: dvc exp remove $(NAME)"

.PHONY: repro
repro: $(READY) ## Bring the pipeline up to date (MNIST; MNIST_DIR=folder takes the four files from there)
	@python -m digits.params
	@dvc repro

.PHONY: show
show: $(READY) ## List the experiments with their main figures, the best validation accuracy first
	@dvc exp show --no-pager --only-changed --hide-workspace --sort-by metrics/train.json:val_accuracy --sort-order desc \
		--drop 'epochs$$|.*(splits|duplicates|per_class|ece|correct|total|accuracy_|train.json:accuracy|loss|Created|Executor|State|weights|compare/|digits/|stages/|data/|plots/|models/).*' \
		| grep -v '\[sweep-' # those of make sweep have no test figures of their own

.PHONY: plots
plots: $(READY) ## Show DVC's plots and all pictures on one page, without the network: make plots FROM=main compares
	@dvc plots $(if $(filter command line,$(origin FROM)),diff $(FROM) $(TO),show) --out runs/plots

.PHONY: test
test: $(READY) ## Run the tests; those on the real MNIST too, where MNIST_DIR names its files
	@python -m pytest

.PHONY: lint
lint: $(READY) ## Check style, format and types
	@ruff check .
	@ruff format --check .
	@mypy

.PHONY: diff
FROM := main
TO :=
diff: $(READY) ## Show what changed in the metrics, as Markdown: make diff FROM=main TO=branch (default: this folder)
	@echo "### Metrics: $(FROM) -> $(or $(TO),workspace)"
	@echo
	@dvc metrics diff --md $(FROM) $(TO)

.PHONY: demo
demo: $(READY) ## Serve a page to draw digits on, http://127.0.0.1:7860 (after make repro, or make run); PORT=...
	@python -m apps.demo $(if $(PORT),--port $(PORT))

.PHONY: api
api: $(READY) ## Serve the model over HTTP, http://127.0.0.1:8000 (its page describes it); PORT=... MODEL=...
	@python -m apps.api $(if $(PORT),--port $(PORT)) $(if $(MODEL),--model $(MODEL))

.PHONY: evaluate-drawn
evaluate-drawn: $(READY) ## Measure the model, or MODEL=..., on the drawings that were corrected on the page (data/drawn)
	@python -m tools.evaluate_drawn $(if $(MODEL),--model $(MODEL))

.PHONY: load
LOAD := --seconds 30
load: $(READY) ## Measure the HTTP service under load: LOAD="--seconds 600 --kind png"
	@python -m benchmarks.load $(LOAD)

.PHONY: compare
COMPARED = compare-$(subst /,-,$(DATASET))
compare: $(READY) ## Train every recipe on MNIST and write compare/REPORT.md; make compare DATASET=digits leaves it in runs/
ifeq ($(origin DATASET),command line)
	@dvc exp remove $(COMPARED) &>/dev/null || true
	@dvc exp run --temp --name $(COMPARED) --set-param dataset=$(DATASET) compare/dvc.yaml
	@rm -rf runs/$(COMPARED) && mkdir -p runs/$(COMPARED)
	@for name in REPORT.md metrics.json plots; do \
		dvc get --quiet --force . compare/$$name --rev $(COMPARED) --out runs/$(COMPARED)/$$name || exit; done
	@echo "see runs/$(COMPARED)/REPORT.md"
else
	@python -m digits.params
	@dvc repro compare/dvc.yaml
endif

.PHONY: sweep
SET := dataset=digits recipes.fast_cnn.epochs=5
KEYS := recipes.fast_cnn.schedule.peak=0.003,0.01,0.03 recipes.fast_cnn.optimizer.weight_decay=0.01,0.05
sweep: $(READY) ## Search hyper-parameters: KEYS="key=values ..." SET="key=value ..." DRAWS=8 WRITE=1 (tools/sweep.py)
	@python -m tools.sweep $(foreach key,$(KEYS),"$(key)") $(if $(SET),--set $(foreach key,$(SET),"$(key)")) \
		$(if $(DRAWS),--draws $(DRAWS)) $(if $(SEED),--seed $(SEED)) $(if $(WRITE),--write)

.PHONY: bench
SEEDS := 5
bench: $(READY) ## Measure accuracy and time of RECIPE (default: the active one) over SEEDS seeds (after make repro)
	@python -m benchmarks.seeds --seeds $(SEEDS) $(if $(RECIPE),--recipe $(RECIPE))

.PHONY: architecture
architecture: $(READY) ## Print the trained network's summary and draw it with Graphviz, where that is installed
	@python -m tools.architecture

.PHONY: netron
netron: $(READY) ## Open the trained network in Netron on http://localhost:8081
	@test -e models/model.keras || { echo "models/model.keras: no such file; run make repro first"; exit 1; }
	@netron --host localhost --port 8081 models/model.keras

.PHONY: tensorboard
tensorboard: $(READY) ## Open curves, images, graphs and hyper-parameters of all runs here on http://localhost:6006
	@test -d logs || { echo "logs: no such folder; run make repro, or dvc repro with another recipe, first"; exit 1; }
	@tensorboard --logdir logs

.PHONY: gpu
gpu: $(READY) ## Fail unless TensorFlow sees a GPU (with GPU=1, on a machine that has one)
	@python -c 'import tensorflow as tf; gpus = tf.config.list_physical_devices("GPU"); print(gpus); exit(not gpus and "TensorFlow sees no GPU")'

.PHONY: rebuild
rebuild: $(READY) ## As CI on the GPU runner: reproduce with what the remote DVC_REMOTE has, then push the rest there
	@test -n "$(DVC_REMOTE)" || { echo "DVC_REMOTE is not set: it must name the storage of the outputs, such as a folder"; exit 1; }
	@dvc remote add --local --force --default storage "$(DVC_REMOTE)"
	@dvc repro --pull --allow-missing
	@dvc push

.PHONY: publish
publish: ## Commit and push dvc.lock and the metrics where they changed (CI on main)
	@git add dvc.lock metrics
	@git diff --cached --quiet || { \
		git -c user.name=ci -c user.email=ci@localhost commit --quiet -m "Rebuilt on the GPU runner [skip ci]" \
		&& git pull --quiet --rebase --autostash && git push; }

.PHONY: lock
lock: ## Resolve the dependencies anew into the lock files (needs uv)
	@for group in "requirements.lock" "requirements-gpu.lock --extra gpu"; do \
		uv pip compile --quiet --upgrade --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
			--no-header --no-annotate --group dev pyproject.toml --output-file $$group || exit; done

.PHONY: clean
clean: ## Remove the environment and what runs left behind; outputs and DVC's cache stay
	@rm -rf $(VENV) logs runs .pytest_cache .mypy_cache .ruff_cache
