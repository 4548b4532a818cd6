# The two commands: `make run` and `make test`. `make help` lists the rest.
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin

# The first Python that is new enough and has pip; name another with `make PYTHON=/path/to/python3.12`.
python = $(shell for p in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11); do \
	$$p -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
uv = PYTHONPATH=.tools UV_PYTHON_DOWNLOADS=never $(python) -m uv
lock = $(uv) pip compile -q $(fresh) --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --custom-compile-command 'make lock'
sync = $(uv) pip install -q --python $(BIN)/python --no-deps --require-hashes --compile-bytecode

.PHONY: help run install test browser check format slow bench real transcripts snapshots docs wheel docker-check lock upgrade clean
help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile | expand -t 14

run: install ## serve on http://127.0.0.1:8000; HOST=… and PORT=… change that
	@$(BIN)/pagefate serve $(if $(HOST),--host $(HOST)) $(if $(PORT),--port $(PORT))

install: .venv/installed ## put the command at .venv/bin/pagefate

test: .venv/installed-test ## run every test, the browser's too; ARGS=… goes to pytest
	@.ci/browser || true
	@.ci/postgresql || true
	@.ci/spin || true
	@$(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

browser: ## have a Chromium for the tests, by apt where that is possible
	@.ci/browser

check: .venv/installed-test ## lint, formatting, types
	@$(BIN)/ruff check && $(BIN)/ruff format --check && $(BIN)/mypy

format: .venv/installed-test ## put the code in its shape
	@$(BIN)/ruff check --fix; $(BIN)/ruff format

slow: .venv/installed-test ## run the browser tests on a slow line and a slow computer: races show
	@.ci/browser || true
	@$(BIN)/python -m pytest -n auto --slow-browser --timeout 900 tests/browser $(ARGS)

bench: .venv/installed-test ## print the budgets and what was measured
	@.ci/spin || true
	@$(BIN)/python -m tests.bench $(ARGS)

real: .venv/installed-test ## perform random programs on this machine's kernel too, and compare; as root
	@$(BIN)/python -m tests.real $(ARGS)

transcripts: .venv/installed-test ## rewrite the golden transcripts; read the diff before you commit it
	@$(BIN)/python -m pytest -q -k transcript --rewrite-transcripts

snapshots: .venv/installed-test ## rewrite the pictures at the telling steps, as text; read the diff too
	@$(BIN)/python -m pytest -q tests/app/test_snapshots.py --rewrite-snapshots

docs: .venv/installed ## rewrite the pages of docs/ that are made from the code
	@$(BIN)/python -m app.reference

wheel: .venv/installed ## build dist/*.whl
	@$(uv) build -q --wheel --out-dir dist && ls dist/*.whl

docker-check: ## build the Dockerfile and run it, without a Docker engine
	@.ci/docker-check

lock: .tools/installed ## rewrite the three locks with the least change
	@$(lock) --group tools -o requirements-uv.lock
	@$(lock) pyproject.toml --extra postgresql --group assets -o requirements.lock
	@$(lock) pyproject.toml --extra postgresql --group assets --group test -c requirements.lock -o requirements-test.lock

upgrade: fresh = --upgrade
upgrade: lock ## rewrite the three locks with the newest versions

clean: ## take away all that make made
	rm -rf .venv .tools .cache dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage

# Debian's Python has no ensurepip and refuses `pip install` (PEP 668); `--target` passes both.
.tools/installed: requirements-uv.lock
	@test -n "$(python)" || { echo "Pagefate needs Python 3.11 or newer with pip, and finds none:" \
	"$$($(or $(PYTHON),python3) -V 2>&1 | head -1). Name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(python) -m pip install -q --disable-pip-version-check --root-user-action=ignore --upgrade \
	--no-deps --require-hashes --only-binary :all: --target .tools -r $<
	@touch $@

.venv/installed: requirements.lock pyproject.toml hatch_build.py | .tools/installed
	@test -x $(BIN)/python || $(uv) venv -q --python $(python) .venv
	@$(sync) -r $<
	@$(uv) pip install -q --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q app engine
	@touch $@

.venv/installed-test: requirements-test.lock .venv/installed
	@$(sync) -r $<
	@touch $@
