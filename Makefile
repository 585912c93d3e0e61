# The two commands of the README, and what they are made of. Needs Python >= 3.11 and nothing else.
PYTHON ?= python3
BIN := .venv/bin
# Tests must not depend on what the machine's owner configured.
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: demo test check unit bench clean

demo: .venv/.user
	$(BIN)/wheretaken locate examples/helsinki-corner.jpg --out demo

test: check unit

check: .venv/.developer
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

unit: .venv/.developer
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

bench: .venv/.developer
	$(BIN)/python bench/run.py

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "wheretaken needs Python >= 3.11: run  make PYTHON=python3.11 ..."; exit 1; }
	@$(PYTHON) -m venv .venv || \
		{ rm -rf .venv; echo "no venv module: on Debian and Ubuntu run  apt install python3-venv"; exit 1; }
	$(BIN)/pip install --quiet --upgrade 'pip>=25.1'

.venv/.user: .venv/bin/python pyproject.toml
	$(BIN)/pip install --quiet -e '.[offline]'
	@touch $@

.venv/.developer: .venv/bin/python pyproject.toml
	$(BIN)/pip install --quiet --group dev -e '.[all]'
	@touch $@ .venv/.user

clean:
	rm -rf .venv demo .pytest_cache .ruff_cache .hypothesis .import_linter_cache
