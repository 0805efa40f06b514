# Two commands matter: `make test` sets up all that the tests need and runs every one; `make demo` shows the main job.

VENV := .venv
BIN := $(VENV)/bin
PURE := errors.py record slurm spec config render ledger tracker documents check

.PHONY: test setup gates unit clusters demo docs bench clean format

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
	$(BIN)/pytest -n auto -m "not cluster" --cov --cov-report= tests
	$(BIN)/python tests/coverage_gate.py $(PURE)

clusters: setup ## the tests on real Slurm in containers
	@./tests/docker $(BIN)/pytest -n 2 --dist loadgroup -m cluster --durations=15 tests

demo: setup ## the main job on a sandbox: real Slurm in Docker on this machine
	@./examples/demo $(BIN)

docs: setup ## write the reference pages anew
	$(BIN)/python docs/generate.py

bench: setup ## figures and ratios, printed as a table
	@PYTHONPATH=tests ./tests/docker $(BIN)/python -m benchmarks

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) build dist .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
