# Textback. Every target does its own set-up in .venv; Python 3.11 or newer and make are enough.

PYTHON ?= python3
BIN := .venv/bin
# Compiling all modules takes long, and most are never imported.
INSTALL := python -m pip install --quiet --quiet --no-compile --disable-pip-version-check
PIP := pip==26.3 # the one that comes with Python 3.11 takes 50 % longer

# Containers often set this; each of the many processes of the tests would then compile all modules again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run signup test soak bench check deploy browser screenshots diagram architecture openapi languages clean verify-signup

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/run ## Run the service with a local simulator of Twilio
	@$(BIN)/python -m simulator.run

signup: .venv/run ## Run the example application beside `make run`: a sign-up form
	@test -f instance/local.env || { echo "Start 'make run' first, in another shell: it writes the keys."; exit 1; }
	@echo "  The sign-up form   http://127.0.0.1:$${SIGNUP_PORT:-8002}"
	@$(BIN)/flask --env-file instance/local.env --app examples.signup.app run --port $${SIGNUP_PORT:-8002}

verify-signup: .venv/run ## Run beside `make run` an application that was written for Twilio Verify
	@test -f instance/local.env || { echo "Start 'make run' first, in another shell: it writes the keys."; exit 1; }
	@echo "  The sign-up form   http://127.0.0.1:$${VERIFY_SIGNUP_PORT:-8003}"
	@$(BIN)/flask --env-file instance/local.env --app examples.verify_signup.app run --port $${VERIFY_SIGNUP_PORT:-8003}

test: .venv/develop ## Run all tests (about four minutes on two cores)
	@$(BIN)/python -m tests.run

soak: .venv/develop ## Run random input, simulation and kills forty times longer, all tests on PostgreSQL (about forty minutes)
	@SOAK=40 $(BIN)/python -m pytest tests/test_fuzz.py tests/durable/test_openapi.py tests/simulation tests/store/contract/test_model.py tests/processes/test_torture.py tests/processes/test_slow_clients.py tests/processes/test_greenlets.py tests/processes/test_hosts.py tests/processes/test_web_processes.py tests/end_to_end/test_secrets.py tests/test_unusable_secrets.py tests/browser/test_pages.py
	@TEST_DATABASE=postgresql $(BIN)/python -m tests.run tests --ignore tests/browser --ignore tests/console/test_speed.py

bench: .venv/develop ## Measure rates, compared with a bare form route (about six minutes)
	@$(BIN)/python -m bench
	@$(BIN)/python -m bench --database postgresql

check: .venv/develop ## Check format, lint and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy bot

deploy: .venv/develop ## Run the commands of docs/deploy.md in a fresh Debian and the image; needs root on Debian (some minutes)
	@deploy/try

browser: .venv/develop ## Install Chromium for the browser tests (on Debian the headless build)
	@tests/browser/install

screenshots: .venv/develop ## Take the pictures of the README
	@$(BIN)/python -m tests.browser.screenshots

diagram: .venv/develop ## Draw docs/state-machine.md
	@$(BIN)/python -m tests.state_diagram

architecture: .venv/develop ## Draw the picture of docs/architecture.md
	@$(BIN)/python -m tests.architecture

openapi: .venv/develop ## Write docs/openapi.json
	@$(BIN)/python -c 'import json; from bot.app import openapi_document; print(json.dumps(openapi_document(), indent=2))' > docs/openapi.json

languages: .venv/develop ## Bring the catalogues up to date with the sentences; NEW=sk begins one
	@$(BIN)/python -m tests.languages $(NEW)

clean: ## Remove the virtual environment and what `make run` has stored
	rm -rf .venv instance/local.*

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Textback needs Python 3.11 or newer; set PYTHON=python3.12, for example.")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/$(INSTALL) $(PIP) || echo "pip stays as it came with Python, and takes longer."
	@touch $@

.venv/run: .venv/python requirements.txt
	@echo "Installing what Textback needs ..."
	@$(BIN)/$(INSTALL) -r requirements.txt
	@touch $@

.venv/develop: .venv/python requirements.txt requirements-dev.txt
	@echo "Installing what the tests need ..."
	@$(BIN)/$(INSTALL) -r requirements-dev.txt
	@touch $@ .venv/run
