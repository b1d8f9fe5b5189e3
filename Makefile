# Seaway: `make run` shows the whole product, `make test` proves it.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PRELOAD := $(BIN)/python -W ignore -m seaway.kfp.local.preload
REGISTRY ?= docker.io/seaway
TAG ?= dev
IMAGES := kustomize/components/images/kustomization.yaml
KEEP ?= 3
# Without compiled bytecode each process would compile its imports anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install run test check lint types layers unit apiserver golden local cluster generate manifests images bench lock clean

help:            ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 12

install: $(STAMP) ## make .venv from requirements.lock

$(STAMP): requirements.lock pyproject.toml setup.py
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.9"
	$(BIN)/uv pip sync --quiet --python $(BIN)/python requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	# compile the bytecode of what steps import, about 6,000 of the 40,000 files, on two cores
	$(PRELOAD) training tuning evaluation serving & $(PRELOAD) data features models platforms reporting rollout; wait
	touch $@

run: $(STAMP)     ## run the flights pipeline, from raw data to a promoted canary
	$(BIN)/seaway run flights

test: check apiserver golden cluster local ## everything: lint, types, layers, unit, API server, golden, cluster where KUBECONFIG is set, local

check: lint types layers unit ## what every commit must pass, in seconds

lint: $(STAMP)
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/shellcheck .ci/run ci/run ci/commit-versions kustomize/*.sh

types: $(STAMP)
	$(BIN)/mypy

layers: $(STAMP)
	$(BIN)/lint-imports

unit: $(STAMP)
	$(BIN)/pytest tests/unit

apiserver: $(STAMP) ## an API server of its own, without a cluster; skipped where etcd and kube-apiserver are not found
	$(BIN)/pytest tests/apiserver

golden: $(STAMP)  ## compiled components and pipelines match what is committed
	$(BIN)/pytest tests/golden

local: $(STAMP)   ## real parts on loopback
	$(BIN)/pytest tests/local

cluster: $(STAMP) ## a real API server; skipped where KUBECONFIG is not set
	$(BIN)/pytest tests/cluster

generate: $(STAMP) ## write every generated file anew: component.yaml, pipeline.yaml, their READMEs, docs/components, manifests/{access,pipelines}
	$(BIN)/python -m tools.generate
	$(BIN)/python -m tools.cli_reference
	$(BIN)/python -m tools.tuning_reference docs/reference/tuning.md
	$(BIN)/python -m tools.ports_table docs/architecture.md
	$(BIN)/python -m seaway.platforms.kubernetes.install.rbac
	$(BIN)/python -m seaway.platforms.kubernetes.install.prometheus_operator
	$(MAKE) manifests

manifests: $(STAMP) ## write manifests/pipelines: a version of each pipeline, with KEEP earlier ones
	$(BIN)/seaway manifests --images $(IMAGES) --keep $(KEEP)

images:          ## build images/{runtime,trainer,server} with Docker; TORCH_INDEX and BASE_IMAGE choose
	for name in runtime trainer server; do docker buildx build --file images/Dockerfile --target $$name \
	  --tag $(REGISTRY)/$$name:$(TAG) $(if $(TORCH_INDEX),--build-arg TORCH_INDEX=$(TORCH_INDEX)) \
	  $(if $(BASE_IMAGE),--build-arg BASE_IMAGE=$(BASE_IMAGE)) --build-arg VERSION=$(TAG) \
	  --build-arg REVISION=$$(git rev-parse HEAD) --sbom=true --provenance=true $(PUSH) . || exit 1; done

bench: $(STAMP)   ## ratios, measured side by side
	$(BIN)/python -m benchmarks

lock:            ## resolve requirements.lock anew
	uv pip compile --quiet --python-version 3.11 --all-extras --no-emit-index-url --no-annotate --output-file requirements.lock pyproject.toml

clean:           ## remove what a run leaves
	rm -rf .seaway .mypy_cache .ruff_cache .pytest_cache
