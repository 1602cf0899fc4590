# The commands of this project. Everything that they need goes into .venv and js/node_modules.
# A file .venv/.NAME is a stamp: the step NAME is done and nothing that it depends on has changed since.

PYTHON ?= python3
PORT ?=
ONLY ?=

PACKAGE := pyproject.toml setup.py MANIFEST.in $(shell find weight_widgets -name __pycache__ -prune -o -print)
RUN := .venv/bin/python
PIP := $(RUN) -m pip --disable-pip-version-check --quiet
# First, so that npm is ours where the system has none; node finds npm, and npm finds node, by this path.
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.DELETE_ON_ERROR:
.PHONY: help demo test test-fast test-packages check bench build-js clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

demo: .venv/.extra-demo ## open examples/compare.ipynb in JupyterLab (PORT=8888; Ctrl-C ends it)
	@$(RUN) scripts/demo.py $(if $(PORT),--port $(PORT))

test: .venv/.extra-test .venv/.chromium js/node_modules/.stamp ## run every test against the installed wheel
	npm --prefix js test
	.venv/bin/pytest -m "not network"

test-fast: .venv/.extra-test ## run the unit tests, without a browser
	.venv/bin/pytest -m "not browser and not slow and not network"

test-packages: .venv/.extra-test ## open the models that packages on PyPI ship
	.venv/bin/pytest -m network

check: .venv/.extra-dev js/node_modules/.stamp ## ruff, mypy, biome, tsc, and whether the bundles are fresh
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	npm --prefix js run check

bench: .venv/.extra-test .venv/.extra-bench .venv/.chromium ## run the benchmarks (ONLY="pick scan" for some rows)
	$(RUN) benchmarks/run.py $(if $(ONLY),--only $(ONLY))

build-js: js/node_modules/.stamp ## build js/ into weight_widgets/static
	npm --prefix js run build

clean: ## remove everything that these commands made
	rm -rf .venv js/node_modules build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.python:
	@sh scripts/make_venv.sh "$(PYTHON)" ".venv"
	@touch $@

# The wheel, never an editable install: tests and demo run what users get.
.venv/.installed: $(PACKAGE) .venv/.python
	@echo "Installing weight-widgets into .venv"
	@rm -rf .venv/wheel
	@$(PIP) wheel --no-deps --wheel-dir .venv/wheel .
	@$(PIP) install --force-reinstall --no-deps .venv/wheel/*.whl
	@touch $@

.venv/.extra-%: .venv/.installed
	@echo "Installing what weight-widgets[$*] needs"
	@$(PIP) install 'weight-widgets[$*]'
	@touch $@

.venv/.chromium: .venv/.extra-test
	@$(RUN) scripts/ensure_chromium.py
	@touch $@

.venv/.node: .venv/.python
	@sh scripts/ensure_node.sh "$(RUN)"
	@touch $@

js/node_modules/.stamp: js/package.json js/package-lock.json .venv/.node
	@echo "Installing what js/ needs"
	@npm --prefix js ci --no-audit --no-fund --loglevel=error
	@touch $@
