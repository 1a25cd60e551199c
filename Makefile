# Two commands do all the set-up on a fresh machine: `make run` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: help install run test crash parcours fuzz lint format bench images lock

help: ## Show this help
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

install: $(INSTALLED) .env ## Create .venv with the locked dependencies, and a development .env

$(INSTALLED): requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "Python has no venv module: install it with 'apt-get install python3-venv'."; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

.env: $(INSTALLED)
	@$(BIN)/python -m siao.socle.embedded write-env .env

run: install ## Start everything: PostgreSQL, Redis, worker, web server, with the demo data (Ctrl-C stops all)
	@$(BIN)/python manage.py lancer

test: install lint ## The whole suite, on PostgreSQL, Redis, a real worker and a real Chromium
	@$(BIN)/python -m tests.chromium
	@$(BIN)/python -m pytest -n auto --dist worksteal

crash: install ## Ten kill points × who dies × ten runs, and the queue emptied: prints the table (about 20 minutes)
	@$(BIN)/python -m pytest tests/offre/test_import_interrompu.py tests/offre/test_import_sans_file.py --interruptions 10 -n auto -q

parcours: install ## 2 000 histories against an oracle, 32 editors × 100 operations in two processes
	@SEQUENCES=2000 EDITEURS=32 OPERATIONS=100 $(BIN)/python -m pytest tests/situations/test_modele.py tests/situations/test_concurrence.py -q -n auto

fuzz: install ## 300 mutated workbooks; each must be read or refused (FUZZ_SEED=n for others)
	@FUZZ_FILES=300 $(BIN)/python -m pytest tests/socle/test_workbook_fuzz.py -q -n auto

lint: install ## Formatting, style, templates, layers, migrations and deployment checks
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/djlint templates --check --lint --quiet
	@$(BIN)/lint-imports
	@$(BIN)/python manage.py makemigrations --check --dry-run
	@$(BIN)/python -m tests.deployment

format: install ## Rewrite the code and the templates in the house format
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .
	@$(BIN)/djlint templates --reformat --quiet || $(BIN)/djlint templates --check --quiet  # fails for having rewritten

bench: install ## Measure against the peers; the table is printed and kept in var/bench.json
	@$(BIN)/python -m tests.bench

images: install ## Take the pictures of the README again, in the browser tests and, where installed, in LibreOffice
	@README_IMAGES=docs/images $(BIN)/python -m pytest -q tests/parcours/test_temps1.py tests/parcours/test_parcours_residentiel.py tests/offre/test_modele.py -k "template or story"

lock: install ## Recompute the locked dependencies from pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" pyproject.toml -o requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" -c requirements.txt pyproject.toml --group dev -o requirements-dev.txt
