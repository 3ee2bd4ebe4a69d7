# Each command sets up what it needs, in a virtual environment of its own.
PYTHON ?= python3
VENV ?= .venv
# CUDA's version for `make gpu`: gpu13 or gpu12.
GPU ?= gpu13

.PHONY: train test test-all gpu lessons lint format clean

train: $(VENV)/installed  ## train mini on the built-in pictures
	$(VENV)/bin/minialexnet train

test: $(VENV)/installed  ## the tests
	$(VENV)/bin/python -m pytest

test-all: $(VENV)/installed-all  ## the tests, with the longer ones and those that need PyTorch, ONNX, CuPy or MPI
	$(VENV)/bin/python -m pytest -m ""

gpu:  ## all tests, parity and speed on a GPU; CIFAR10=FOLDER trains on it too
	@nvidia-smi -L >/dev/null 2>&1 || { echo "make gpu needs an NVIDIA GPU with its driver, and nvidia-smi lists none" >&2; exit 2; }
	@$(MAKE) --no-print-directory $(VENV)/installed-$(GPU)
	$(VENV)/bin/python -m minialexnet.bench.card $(if $(CIFAR10),--cifar10 "$(CIFAR10)")

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

$(VENV)/installed-$(GPU): $(VENV)/installed
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[test,$(GPU)]"
	test "$$(nvidia-smi -L | wc -l)" -lt 2 || $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[nccl-$(GPU)]"
	touch $@

$(VENV)/installed-lessons: $(VENV)/installed
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[test,lessons]"
	touch $@
