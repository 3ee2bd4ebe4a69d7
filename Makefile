# Each command sets up what it needs, in a virtual environment of its own.
PYTHON ?= python3
VENV ?= .venv

.PHONY: train test test-all lessons lint format clean

train: $(VENV)/installed  ## train mini on the built-in pictures
	$(VENV)/bin/minialexnet train

test: $(VENV)/installed  ## the tests
	$(VENV)/bin/python -m pytest

test-all: $(VENV)/installed-all  ## the tests, with the longer ones and those that need PyTorch, ONNX, CuPy or MPI
	$(VENV)/bin/python -m pytest -m ""

lessons: $(VENV)/installed-lessons  ## the lessons, in JupyterLab
	$(VENV)/bin/jupyter lab --notebook-dir=. lessons/README.md

lint: $(VENV)/installed
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check

format: $(VENV)/installed
	$(VENV)/bin/ruff check --fix
	$(VENV)/bin/ruff format

clean:
	rm -rf $(VENV) build *.egg-info

$(VENV)/installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[test]"
	touch $@

$(VENV)/installed-all: $(VENV)/installed
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[test,oracles]"
	touch $@

$(VENV)/installed-lessons: $(VENV)/installed
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[test,lessons]"
	touch $@
