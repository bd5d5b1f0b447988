# Two targets do everything on a fresh machine, virtual environment included: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
INSTALL := $(BIN)/python -m pip install --quiet --constraint constraints.txt

.PHONY: demo test slow lint types layers evidence benchmark clean

demo: $(VENV)/.installed
	$(BIN)/saddlepoint demo --out runs/digits

test: $(VENV)/.tested
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not slow"

slow: $(VENV)/.tested
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m slow

lint: $(VENV)/.linted
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.linted
	$(BIN)/mypy

layers: $(VENV)/.linted
	$(BIN)/lint-imports

evidence: $(VENV)/.tested
	$(BIN)/python evidence/kill_resume.py
	$(BIN)/python evidence/real_images.py
	$(BIN)/python evidence/methods.py
	$(BIN)/python evidence/claims.py
	$(BIN)/python evidence/floors.py
	$(BIN)/python evidence/intervals.py
	$(BIN)/python evidence/semi_supervised.py --steps 12000 --seeds 5
	$(BIN)/python evidence/infogan.py --seeds 5
	$(BIN)/python evidence/doctor.py --half tuning
	$(BIN)/python evidence/doctor.py --half held-out
	$(BIN)/python evidence/book.py

benchmark: $(VENV)/.installed
	$(BIN)/python benchmarks/step.py
	$(BIN)/python benchmarks/health.py
	$(BIN)/python benchmarks/dynamics.py
	$(BIN)/python benchmarks/population.py
	$(BIN)/python benchmarks/metrics.py

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(INSTALL) --editable .
	touch $@

$(VENV)/.tested: $(VENV)/.installed
	$(INSTALL) pytest pytest-timeout pytest-xdist hypothesis selenium torchmetrics pot gudhi scikit-image
	touch $@

$(VENV)/.linted: $(VENV)/.installed
	$(INSTALL) ruff mypy import-linter
	touch $@

clean:
	rm -rf $(VENV) build dist
