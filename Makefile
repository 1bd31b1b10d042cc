# Everything on a fresh machine with Python >= 3.11 and make:
#   make demo      install, then the ten minutes of a newcomer
#   make test      install, then all checks but the longest tests; with LONG=1 those, too, as in CI
#   make docs      install, then the documentation as a site, in site/
#   make install   install only
#   make lowest    the quick tests, and those of exports, with the lowest versions that pyproject.toml allows

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# For two cores: what waits for cameras and servers leaves room for a third.
WORKERS ?= 3

.PHONY: install demo test lint types walls docs unit cover lowest format clean
.DEFAULT_GOAL := install

install: $(STAMP)

# Made again when what is needed changes. The stamp is removed first, so that half an installation is none.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "oddframe needs Python 3.11 or newer: make PYTHON=python3.11"; exit 1; }
	@rm -f $(STAMP)
	@echo "Installing oddframe and all that trains, exports, tests and documents it into .venv: about 1 GB to download,"
	@echo "3 GB on the disk, some minutes. Elsewhere nothing is changed; make clean removes it."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $(STAMP)
	@echo "Installed: $$(du -sh .venv | cut -f1) in .venv. Next: source .venv/bin/activate, then oddframe demo --instant"

demo: install
	$(BIN)/oddframe demo --out demo

test: lint types walls docs unit

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

walls: install
	$(BIN)/lint-imports

# A link that leads nowhere ends it. With --quiet it would not: mkdocs counts the warnings that it shows.
docs: install
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

unit: install
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup --durations=15 $(if $(LONG),,-m "not long")

cover: install
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup --cov --cov-report=term:skip-covered

# In an environment of its own that goes afterwards: 3 GB on the disk while it runs. What uv finds is taken as
# constraints, so that a build of torch without CUDA, where pip is told of one, stays without it.
lowest:
	@place=$$(mktemp -d) && trap 'rm -rf "$$place"' EXIT && bin="$$place/venv/bin" && \
	$(PYTHON) -m venv "$$place/venv" && \
	"$$bin/python" -m pip install --quiet --disable-pip-version-check uv && \
	"$$bin/uv" pip compile --quiet --resolution lowest-direct --extra dev --extra pandas pyproject.toml \
		--output-file "$$place/lowest.txt" && \
	"$$bin/python" -m pip install --quiet --disable-pip-version-check -c "$$place/lowest.txt" -e ".[dev,pandas]" && \
	"$$bin/python" -m pytest -n $(WORKERS) --dist loadgroup -m "not slow" && \
	"$$bin/python" -m pytest tests/exporting

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv demo site .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage
