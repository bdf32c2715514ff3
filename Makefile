# What a newcomer and CI run; `make` alone lists it.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help venv demo down test test-fast lint format bench requirements version clean

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
DEMO := .windlass
# Python reads no path with an umlaut in the plain C locale.
export LC_ALL := C.UTF-8
# pip, npm and git trust what the system trusts (a company's own certificate, say); uv has to be told.
export UV_SYSTEM_CERTS ?= $(if $(wildcard /etc/ssl/certs/ca-certificates.crt),true,false)

help: ## Lists the targets.
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name text; do printf '  make %-14s %s\n' "$$name" "$$text"; done

venv: $(VENV)/.complete ## Makes the virtual environment from the hashed requirements.

# The stamp is written last, so a broken installation is finished by the next run.
$(VENV)/.complete: requirements/uv.txt requirements/all.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: windlass needs Python 3.11 or newer; run: make PYTHON=python3.11" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || .ci/need python3-venv
	@echo "making the virtual environment $(VENV)" >&2
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/uv.txt \
	  || { echo "error: pip cannot download packages; look at the network and at: $(BIN)/pip config list" >&2; exit 75; }
	@echo "installing Airflow and all else that is in requirements/all.txt (a minute on the first run)" >&2
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --requirement requirements/all.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

demo: venv ## Delivers the example from a merge request to production on this machine (make down ends it).
	@$(BIN)/python examples/demo.py $(DEMO)

down: ## Stops every process that the demo or `windlass stack up` started.
	@test -x $(BIN)/windlass || test ! -d $(DEMO)/stack || $(MAKE) --no-print-directory venv
	@test ! -x $(BIN)/windlass || $(BIN)/windlass stack down --home $(DEMO)/stack

test: venv ## Runs every test, the whole way through three Airflows included.
	@command -v rsync >/dev/null || .ci/need rsync || true
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || .ci/need postgresql
	@command -v podman >/dev/null && command -v runc >/dev/null && test -x /bin/busybox || .ci/need podman runc busybox-static
	$(BIN)/pytest -q -m "not airflow and not e2e" --numprocesses 2 --dist loadgroup
	$(BIN)/pytest -q -m "airflow and not e2e" --numprocesses 2 --dist loadfile
	$(BIN)/pytest -q -m e2e --numprocesses 2 --dist loadgroup

test-fast: venv ## Runs the tests that need neither Airflow nor a local S3 server.
	$(BIN)/pytest -q -m "not airflow and not e2e and not stack" --numprocesses 2 --dist loadgroup

lint: venv ## Checks format, types, layers and this repository's own pipelines and CI files.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/windlass lint

format: venv ## Formats the code.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: venv ## Measures against S3DagBundle and `aws s3 sync`, and writes docs/benchmarks.md (needs aws on PATH).
	$(BIN)/python -m bench

requirements: venv ## Locks the newest versions of all packages, with hashes and without addresses.
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  pyproject.toml --all-extras --group dev --output-file requirements/all.txt
	grep -A 400 '^uv==' requirements/all.txt | awk 'NR > 1 && /^[a-z]/ { exit } !/# via/ { print }' > requirements/uv.txt
	for version in 3.1 3.2; do \
	  printf '%s\n' "apache-airflow==$$version.*" $(addprefix apache-airflow-providers-,amazon postgres smtp standard) \
	  | $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	    pyproject.toml - --output-file requirements/airflow-$$version.txt || exit; \
	done

version: venv ## Makes this checkout VERSION in all its places: 0.2.0 to release it, 0.3.0.dev0 to go on (CONTRIBUTING.md).
	$(BIN)/python .ci/release.py set "$(VERSION)"
	$(BIN)/pytest -q --update-golden tests/ci/test_templates.py tests/ci/test_components.py tests/docs/test_pages.py \
	  -k "templates_version or component_is_the_file or reference_of_ci_inputs"

clean: down ## Removes the virtual environment and the local stack with all its data.
	rm -rf $(VENV) $(DEMO)/stack $(DEMO)/demo $(DEMO)/airflow-*
