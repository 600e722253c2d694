# borderlake: `make demo` runs the whole road, `make test` passes the tests. Each makes .venv when it is missing.
.DEFAULT_GOAL := help
SHELL := /bin/bash
export UV_PROJECT_ENVIRONMENT := .venv
# Once, when the environment is made: each process would else compile what it imports where it may not keep it.
export UV_COMPILE_BYTECODE := 1
# A slow mirror or a busy machine is no reason to give up, as uv does after half a minute, or one where it compiles.
export UV_HTTP_TIMEOUT ?= 300
export UV_HTTP_RETRIES ?= 5
export UV_COMPILE_BYTECODE_TIMEOUT ?= 600
# And ours where it is kept: the tests' processes and the children that they start would each compile every module.
export PYTHONDONTWRITEBYTECODE :=

PACKAGES := warehouse features models sharing simulation pipelines benchmarks
DEMO ?=
PYTEST ?=

.PHONY: help demo up test lint format docs clean

help: ## What can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

demo: .venv/ready ## Simulate a border and run the whole road: extracts to risk scores (DEMO="--days 60 --scale 0.3" for less)
	.venv/bin/borderlake demo $(DEMO)

up: .venv/ready ## Serve the Dagster UI, its daemon and the MLflow UI on loopback
	.venv/bin/borderlake up

# What depends on the order of a set is so for everyone, or for no one.
test: export PYTHONHASHSEED ?= 0
test: .venv/ready ## Run the tests
	.venv/bin/python -m pytest $(PYTEST)

lint: .venv/ready ## Check style, types, import layers and dependencies
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy $(PACKAGES)
	.venv/bin/lint-imports
	.venv/bin/deptry .

format: .venv/ready ## Format the code
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

clean: ## Remove the environment and caches (never BORDERLAKE_HOME)
	rm -rf .venv .uv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# uv makes the environment from the lock. Where uv is missing, a private copy is put into .uv.
.venv/ready: pyproject.toml uv.lock
	@set -euo pipefail; \
	uv=$$(command -v uv || true); \
	if [ -z "$$uv" ]; then \
	  python3 -m venv .uv && .uv/bin/python -m pip install --quiet --upgrade uv; uv=.uv/bin/uv; \
	fi; \
	"$$uv" sync --frozen --quiet; \
	.venv/bin/python -c "import lightgbm" 2>/dev/null || { \
	  echo "LightGBM cannot load: it needs the system's OpenMP runtime (libgomp)."; \
	  echo "Install it (Debian, Ubuntu: apt-get install libgomp1; Fedora: dnf install libgomp), then run make again."; \
	  exit 1; }; \
	touch $@
