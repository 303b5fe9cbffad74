# Two commands do everything on a fresh machine with Python 3.11 or later: `make reports` and `make test`.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: reports test simulations browser bench lint clean

reports: .venv/ready
	$(BIN)/evalkit run studies --output site

test: .venv/ready
	$(BIN)/python -m pytest -q -n auto

# Bias and coverage by simulation: tens of minutes.
simulations: .venv/ready
	$(BIN)/python -m pytest -q -m slow

# axe-core for the report tests, where npm and Chromium can be installed.
browser:
	cd tests/reports && npm install --no-audit --no-fund --silent

bench: .venv/ready
	for file in benchmarks/*.py; do $(BIN)/python $$file || exit 1; done

lint: .venv/ready
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@

clean:
	rm -rf .venv site studies/*/output
