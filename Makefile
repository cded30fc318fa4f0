# make demo   synthesise, ingest, train and show the paired mode on this machine
# make test   format, lint, types and the whole test suite
# make check  the same without whole commands, long tests and other implementations
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test check lint types install install-dev clean
.DEFAULT_GOAL := check

.venv/.core: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing (torch and its CUDA libraries are about 5 GB; once)"
	@$(INSTALL) --editable .
	@touch $@

.venv/.dev: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing with test tools (torch and its CUDA libraries are about 5 GB; once)"
	@$(INSTALL) --editable '.[dev]'
	@touch .venv/.core $@

install: .venv/.core
install-dev: .venv/.dev

# Everything of the demo lies in .demo; each command is printed as it would be typed.
demo: export CODECCTL_HOME := .demo
demo: .venv/.core
	@rm -rf .demo
	@echo "to watch it live, in another terminal:"
	@echo "  CODECCTL_HOME=.demo $(BIN)/codecctl dashboard"
	$(BIN)/codecctl data synth .demo/eigenscape --recordings 2 --seconds 4
	$(BIN)/codecctl data ingest .demo/eigenscape
	$(BIN)/codecctl train --profile paired model=tiny trainer=demo --run demo
	@echo "the same in your own folder, on your own recordings:"
	@echo "  source $(BIN)/activate"
	@echo "  codecctl data ingest FOLDER && codecctl train --profile paired && codecctl dashboard"

types: .venv/.dev
	@rm -rf .types && mkdir -p .types/codecctl  # the tree as imported; mypy cannot follow package-dir
	@ln -s $(CURDIR)/codecctl/* $(CURDIR)/engine $(CURDIR)/datasets $(CURDIR)/profiles .types/codecctl/
	$(BIN)/mypy

lint: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

check: lint types
	$(BIN)/pytest -n auto -m "not e2e and not gpu and not long and not oracle"

test: lint types
	$(BIN)/pytest -n auto -m "not gpu"

clean:
	rm -rf .types .demo build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
