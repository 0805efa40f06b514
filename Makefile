# Two commands matter: `make demo` shows the main job; `make test` sets up all that the tests need and runs every one, or
# those of `make test TESTS=tests/spec`.

VENV := .venv
BIN := $(VENV)/bin
TESTS ?= tests
PURE := errors.py record slurm spec config render ledger tracker documents check

.PHONY: test setup gates unit clusters faults values demo docs bench clean format

test: gates unit clusters ## all gates, all tests

setup: ## a virtual environment with the built wheel and the tools; on Debian as root also what is missing there
	@./tests/setup $(VENV)

gates: setup ## style, types, architecture, docs that are made from code
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy trainsub tests benchmarks examples
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check

unit: setup ## everything that needs no container, and full branch coverage of the pure rooms
	$(BIN)/pytest -n auto --dist loadgroup -m "not cluster" --durations=25 --cov --cov-report= $(TESTS)
ifeq ($(TESTS),tests)
	$(BIN)/python tests/coverage_gate.py $(PURE)
endif

clusters: setup ## the tests on real Slurm in containers
ifeq ($(TESTS),tests)
	@./tests/docker $(BIN)/pytest -n 3 --dist loadgroup -m cluster --durations=25 tests # they wait more than they work
else
	@./tests/docker $(BIN)/pytest -n 3 --dist loadgroup -m cluster $(TESTS) || [ $$? -eq 5 ] # 5: there are none
endif

faults: setup ## every byte, step and moment at which a submission can break; more than an hour. `make unit` tries a sample
	FAULTS=all $(BIN)/pytest -n auto tests/faults tests/remote/test_program.py

values: setup ## 10,000 hostile values for each way that a value takes through a real bash; half an hour
	CASES=10000 $(BIN)/pytest -n auto -k "exactly or arrive or reaches" tests/render

demo: ## the main job on this machine: no cluster, no Docker, no root; trainsub and PyTorch go to build/demo
	@./examples/demo

docs: setup ## write the reference pages anew
	$(BIN)/python docs/generate.py

bench: setup ## figures and ratios, printed as a table
	@PYTHONPATH=tests ./tests/docker $(BIN)/python -m benchmarks

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) build dist .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
