# The two commands of the README, and what they are made of. Needs Python >= 3.11 and nothing else.
PYTHON ?= python3
BIN := .venv/bin
# Of what is installed, a third is ever imported, and is compiled then: compiling all of it takes minutes.
INSTALL := $(BIN)/pip install --quiet --no-compile
# Tests must not depend on what the machine's owner configured.
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# The tests start many hundreds of processes: what the first of them compiled is there for the others.
export PYTHONDONTWRITEBYTECODE =

.PHONY: demo web test check prepared unit unit-rest unit-verl test-vllm bench clean

PAGE := src/wheretaken/web/static/index.html
# Written by `npm ci` when all is there.
NODE_MODULES := web/node_modules/.package-lock.json

demo: .venv/.user
	$(BIN)/wheretaken locate examples/helsinki-corner.jpg --out demo

# Both environments are fetched at the same time, and the page is built while the code is checked; what each
# target says stays together where make can do that.
APART := --no-print-directory --jobs=2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
test:
	$(MAKE) $(APART) check prepared
	$(MAKE) --no-print-directory unit

check: .venv/.developer
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

prepared: .venv-verl/.ready $(NODE_MODULES) $(PAGE)

# The page of `wheretaken web`; wheels have it, a checkout needs Node.js 20 to make it.
web: $(PAGE)

# verl and what the rest of the suite needs exclude each other: its tests run in an environment of their own,
# and are not collected in the other; beside the rest, as they wait for Ray most of the time. The page's own tests
# need its packages, also where it is built already. Tests keep all processors busy: further threads of the
# libraries would only wait for each other.
unit: export OMP_NUM_THREADS = 1
unit: .venv/.developer prepared
	@$(MAKE) --no-print-directory --jobs=2 unit-rest unit-verl

unit-rest:
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

# What it says comes in one piece when it ends.
unit-verl:
	@if [ -e .venv-verl/bin/python ]; then \
		.venv-verl/bin/python -m pytest -o cache_dir=.pytest_cache/verl tests/rl/verl >.venv-verl/tests.log 2>&1; \
		status=$$?; cat .venv-verl/tests.log; exit $$status; fi

# The tests of the toy model once more, against a real vLLM, and rollouts that it writes for TRL: needs 4 GB and
# some minutes.
test-vllm: .venv/.developer
	$(BIN)/python scripts/vllm_environment.py .venv-vllm
	WHERETAKEN_VLLM=.venv-vllm/bin/python $(BIN)/python -m pytest tests/models/test_served.py
	VLLM_CPU_KVCACHE_SPACE=1 VLLM_CPU_OMP_THREADS_BIND=nobind VLLM_NO_USAGE_STATS=1 DO_NOT_TRACK=1 \
		VLLM_HOST_IP=127.0.0.1 OMP_NUM_THREADS=1 \
		.venv-vllm/bin/python -m pytest tests/rl/trl/test_generation.py

bench: .venv/.developer .venv-verl/.ready
	$(BIN)/python bench/run.py

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "wheretaken needs Python >= 3.11: run  make PYTHON=python3.11 ..."; exit 1; }
	@$(PYTHON) -m venv .venv || \
		{ rm -rf .venv; echo "no venv module: on Debian and Ubuntu run  apt install python3-venv"; exit 1; }
	$(INSTALL) --upgrade 'pip>=25.1'

.venv/.user: .venv/bin/python pyproject.toml
	$(INSTALL) -e '.[offline]'
	@touch $@

.venv/.developer: .venv/bin/python pyproject.toml
	$(INSTALL) --group dev -e '.[all]'
	$(INSTALL) torch==2.13.0
	$(INSTALL) torchvision==0.28.0 --group toy-model -e '.[trl]'
	@touch $@ .venv/.user

.venv-verl/.ready: .venv/bin/python pyproject.toml scripts/verl_environment.py scripts/cpu_environment.py
	$(BIN)/python scripts/verl_environment.py .venv-verl
	@mkdir -p .venv-verl && touch $@

$(NODE_MODULES): web/package-lock.json
	@if command -v npm >/dev/null; then cd web && npm ci --no-audit --no-fund --loglevel=error; \
	else echo "no Node.js: the page of wheretaken web is not built (apt install nodejs npm)"; fi

$(PAGE): $(NODE_MODULES) $(wildcard web/*.* web/public/* web/src/* web/src/*/*)
	@if command -v npm >/dev/null; then cd web && npm run --silent build; fi

clean:
	rm -rf web/node_modules src/wheretaken/web/static .venv .venv-verl .venv-vllm demo .pytest_cache .ruff_cache .hypothesis .import_linter_cache
