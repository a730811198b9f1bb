# All commands of the course. Each makes .venv on its first call (see bootstrap.py); Windows: python bootstrap.py lab
PYTHON ?= python3
ARGS ?=

help:
	@echo "make lab        open the course in JupyterLab (the first call installs it: some minutes)"
	@echo "make test       check everything: style, notebooks, homework, unit tests"
	@echo "make bench      measure our speed against other libraries"
	@echo "make notebooks  write the homework, execute lectures and solutions again, put them in normal form"
	@echo "make site       build the web site of the course in site/: lectures, homework, guides, reference"
	@echo "make clean      remove .venv and everything else that these commands made here"
	@echo
	@echo "Options:  PYTHON=python3.12    the Python to build .venv with (3.11 or newer)"
	@echo "          TORCH_INDEX=ADDRESS  where torch alone comes from (for the small CPU build on Linux)"
	@echo "          ARGS='...'           passed on, e.g. make lab ARGS='--no-browser --port 8890'"

lab test bench notebooks site:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) was not found. Install Python 3.11 or newer."; exit 1; }
	@TORCH_INDEX="$(TORCH_INDEX)" $(PYTHON) bootstrap.py $@ $(ARGS)

clean:
	rm -rf .venv *.egg-info build dist site .site-* .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
	find . -name .ipynb_checkpoints -prune -exec rm -rf {} +

.PHONY: help lab test bench notebooks site clean
