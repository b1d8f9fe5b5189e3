# Seaway: `make run` shows the whole product, `make test` proves it.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
ALL := $(VENV)/.installed
MAIN := $(VENV)/.installed-run
MAIN_EXTRAS := local serving examples
COMPILE := $(BIN)/uv pip compile --quiet --python-version 3.11 --no-emit-index-url --no-annotate --custom-compile-command "make lock"
DOCS := .venv-docs
PRELOAD := $(BIN)/python -W ignore -m seaway.kfp.local.preload
REGISTRY ?= docker.io/seaway
TAG ?= dev
IMAGES := kustomize/components/images/kustomization.yaml
JOBS ?= auto
# Files of tests run side by side; those that start servers two at a time, whatever the machine has.
SIDE_BY_SIDE = --numprocesses=$(JOBS) --dist=loadfile
# One environment for all targets, and tests that want the processors for themselves; but for `check`, see there.
ifndef AT_ONCE
.NOTPARALLEL:
endif
# Without compiled bytecode each process would compile its imports anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install run test check lint types layers unit apiserver golden docs packaging local cluster generate manifests images mutants bench changelog lock clean

help:            ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 12

install: $(ALL)   ## make .venv with all that tests and tools need, from requirements.lock

$(BIN)/uv:
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.9"

# What a lock file lists and nothing else, and this tree. In a new environment the bytecode of what steps import is then
# compiled, about 6,000 of the 40,000 files, on two cores.
define installed
	$(BIN)/uv pip sync --quiet --python $(BIN)/python $(1)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	$(if $(wildcard $(MAIN)),,$(PRELOAD) training tuning evaluation serving & $(PRELOAD) data features models platforms reporting rollout; wait)
endef

$(ALL): requirements.lock pyproject.toml setup.py | $(BIN)/uv
	$(call installed,requirements.lock)
	touch $@ $(MAIN)

# An environment that has more keeps it.
$(MAIN): requirements-run.lock pyproject.toml setup.py | $(BIN)/uv
	$(call installed,$(if $(wildcard $(ALL)),requirements.lock,requirements-run.lock))
	touch $@ $(wildcard $(ALL))

run: $(MAIN)      ## run the flights pipeline, from raw data to a promoted canary; installs only what that needs
	$(BIN)/seaway run flights

test: export SEAWAY_TEST_TIMES := $(CURDIR)/.pytest_cache/times
test:            ## everything: lint, types, layers, unit; then cluster where KUBECONFIG is set, beside all the rest
	rm -rf $(SEAWAY_TEST_TIMES) && mkdir -p $(SEAWAY_TEST_TIMES)
	$(MAKE) check
	$(MAKE) --no-print-directory --jobs=2 --output-sync=target AT_ONCE=yes cluster apiserver golden docs packaging local

check:           ## lint, types, layers, unit: what every commit must pass, in seconds; each speaks when it has ended
	$(MAKE) --no-print-directory --jobs --output-sync=target AT_ONCE=yes lint types layers unit

lint: $(ALL)
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/deptry sdk components pipelines examples
	$(BIN)/shellcheck .ci/run ci/run ci/commit-versions ci/gate kustomize/*.sh

types: $(ALL)
	$(BIN)/mypy

layers: $(ALL)
	$(BIN)/lint-imports

unit: $(ALL)
	$(BIN)/pytest $(SIDE_BY_SIDE) tests/unit

apiserver: $(ALL) ## an API server of its own, without a cluster; skipped where etcd and kube-apiserver are not found
	$(BIN)/pytest $(SIDE_BY_SIDE) --maxprocesses=2 tests/apiserver

golden: $(ALL)  ## compiled components and pipelines match what is committed
	$(BIN)/pytest $(SIDE_BY_SIDE) tests/golden

packaging: $(ALL) ## the wheel, installed without this tree
	$(BIN)/pytest $(SIDE_BY_SIDE) --maxprocesses=2 tests/packaging

docs: $(DOCS)/.installed ## build/site: the documents and the API, every link checked, nothing asked of another server
	NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/python -m properdocs build --strict --config-file mkdocs.yml

$(DOCS)/.installed: requirements-docs.lock $(ALL)
	$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python $(DOCS)
	$(BIN)/uv pip sync --quiet --python $(DOCS)/bin/python requirements-docs.lock
	touch $@

local: $(ALL)   ## real parts on loopback
	$(BIN)/pytest $(SIDE_BY_SIDE) --maxprocesses=2 tests/local

cluster: $(ALL) ## a real API server; skipped where KUBECONFIG is not set
	$(BIN)/pytest tests/cluster

generate: $(ALL) ## write every generated file anew: component.yaml, pipeline.yaml, the pages beside them, lists, manifests
	$(BIN)/python -m tools.generate
	$(BIN)/python -m tools.cli_reference
	$(BIN)/python -m tools.error_reference
	$(BIN)/python -m tools.api_reference
	$(BIN)/python -m tools.tuning_reference docs/reference/tuning.md
	$(BIN)/python -m tools.ports_table docs/architecture.md
	$(BIN)/python -m tools.flavours_table docs/reference/flavours.md
	$(BIN)/python -m tools.edge_targets_table docs/reference/edge-targets.md
	$(BIN)/python -m tools.alerts_reference
	$(BIN)/python -m tools.access_manifests
	$(BIN)/python -m tools.monitoring_manifests
	$(BIN)/python -m tools.policy_manifests
	$(BIN)/python -m tools.schedule_manifests
	$(MAKE) manifests

manifests: $(ALL) ## write manifests/pipelines: each pipeline and its current version; CHANGE='...' says what is new
	$(BIN)/seaway manifests --images $(IMAGES) --change "$$CHANGE"

images:          ## build images/{runtime,trainer,server,servers,lambda} with Docker; TORCH_INDEX and BASE_IMAGE choose
	for name in runtime trainer server servers lambda; do docker buildx build --file images/Dockerfile --target $$name \
	  --tag $(REGISTRY)/$$name:$(TAG) $(if $(TORCH_INDEX),--build-arg TORCH_INDEX=$(TORCH_INDEX)) \
	  $(if $(BASE_IMAGE),--build-arg BASE_IMAGE=$(BASE_IMAGE)) --build-arg VERSION=$(TAG) \
	  --build-arg REVISION=$$(git rev-parse HEAD) --sbom=true --provenance=true $(PUSH) . || exit 1; done

mutants: $(ALL) ## make single lines wrong, one at a time, and see a fast test fall for each; ONLY="judge splits" chooses
	$(BIN)/python -m tools.mutants $(ONLY)

bench: $(ALL)   ## ratios, measured side by side
	$(BIN)/python -m benchmarks

changelog: $(ALL) ## show what the fragments in changes/ make of CHANGELOG.md
	$(BIN)/towncrier build --draft --version "Not released yet"

lock: $(BIN)/uv  ## resolve all lock files anew, those of model servers too; a pin stays while it can, UPGRADE=--upgrade takes the newest
	$(COMPILE) $(UPGRADE) --all-extras --output-file requirements.lock pyproject.toml
	$(COMPILE) $(MAIN_EXTRAS:%=--extra %) --constraint requirements.lock --output-file requirements-run.lock pyproject.toml
	$(COMPILE) $(UPGRADE) --group docs --output-file requirements-docs.lock
	$(BIN)/python -m tools.server_locks $(UPGRADE)

clean:           ## remove what a run leaves
	rm -rf .seaway .mypy_cache .ruff_cache .pytest_cache build/site
