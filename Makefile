# The two commands of the README: `make demo` and `make test`. Both set themselves up; nothing outside this folder is
# written but Debian packages, and those only where that is allowed (tools/debian.sh says what is missing otherwise).

VENV := .venv
BIN := $(VENV)/bin
PYTHON_DONE := $(VENV)/.installed
UI_DONE := ui/node_modules/.installed
UI := ui/dist/index.html
UI_SOURCES := $(shell find ui/src ui/public ui/index.html ui/vite.config.ts ui/tsconfig.json -type f 2>/dev/null)
# Node: the machine's own if it is new enough for Vite, else the one from requirements/node.lock in the environment.
NPM = PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix ui --no-audit --no-fund --no-update-notifier

# Three files at a time on two cores: the tests of processes, cameras and lines mostly wait for real time to pass. Four
# take a minute or two less, and make more of them wait for a processor. A file is one worker's, so that what its tests
# share is built once (pytest-xdist 3.8 finds no groups with pytest 9.2). tests/kit/order.py has the long ones begin.
WORKERS ?= 3

export UV_PYTHON_DOWNLOADS := never
# Hundreds of hubs are started by the tests: each would compile all of its modules anew.
unexport PYTHONDONTWRITEBYTECODE
export UV_NO_PROGRESS := 1

.PHONY: help setup demo test lint types unit ui-test bench soak clean lock sbom
.DEFAULT_GOAL := help

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

setup: debian $(PYTHON_DONE) $(UI)  ## install everything into the checkout and build the page

demo: setup  ## play the story of a blocked fire lane in a simulated community
	$(BIN)/menshen demo

test: setup lint types ui-test unit  ## everything that CI runs

lint:  ## style and import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types:  ## mypy strict
	$(BIN)/mypy

ui-test:  ## the page's own checks
	$(NPM) run typecheck
	$(NPM) test

unit:  ## all Python tests, processes and browser included; WORKERS says how many at a time
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

bench: setup  ## figures, printed and never asserted
	$(BIN)/python -m tests.bench

soak: setup  ## long fault tests and long fuzzing of the API; SOAK_KILLS sets how many kills
	MENSHEN_FUZZ_EXAMPLES=$${MENSHEN_FUZZ_EXAMPLES:-100} $(BIN)/pytest tests/abuse/test_openapi_fuzz.py -n 2 --timeout 0
	SOAK_KILLS=$${SOAK_KILLS:-1000} $(BIN)/pytest tests/faults -x --timeout 0
	SOAK_MARKUP=1 $(BIN)/pytest tests/abuse/test_markup.py
	SOAK_VISION=1 $(BIN)/pytest tests/vision/test_worker.py tests/vision/test_real_lane.py tests/vision/test_lane.py \
		tests/faults/test_cameras_fail.py -x

lock:  ## write the locks anew from pyproject.toml
	requirements/compile.sh

sbom:  ## write the software bill of materials anew from the locks
	$(BIN)/python tools/sbom.py

clean:  ## forget everything that was installed and built
	rm -rf $(VENV) ui/node_modules ui/dist data

.PHONY: debian
debian:
	@tools/debian.sh

$(BIN)/uv:
	tools/venv.sh $(VENV)

$(PYTHON_DONE): $(BIN)/uv requirements/dev.lock pyproject.toml
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements/dev.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	tools/node.sh $(BIN)
	@touch $@

$(UI_DONE): $(PYTHON_DONE) ui/package-lock.json
	$(NPM) ci
	@touch $@

$(UI): $(UI_DONE) $(UI_SOURCES)
	$(NPM) run build
	@touch $@
