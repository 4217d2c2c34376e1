# Every target brings .venv up to date first; that takes no time when the lock has not changed.
PYTHON ?= python3
STACK ?= prod
# `make up PLUGINS=official` runs the sandbox with Pulumi's own aws and random plugins (downloaded by the engine) instead of ours.
PLUGINS ?= sandbox
# `make test ARGS="-k network"` hands anything on to pytest; `make bench ARGS=...` to the benchmark.
ARGS ?=
# `make services PORTS=free` takes any free ports instead of the same each time.
PORTS ?= fixed
# `make services-test SERVICES="order user"` runs these suites alone; `make bench-services SERVICES=product` likewise.
SERVICES ?=

BIN := .venv/bin
SANDBOX := $(BIN)/cloudcommerce-sandbox
PACKAGES := infra stacks components operations benchmarks sandbox/src sandbox/tests services/gateway services/local services/stores services/testing services/bench tests conftest.py sandbox/bootstrap.py
export CLOUDCOMMERCE_PLUGINS := $(PLUGINS)
# Every target starts many interpreters; without caches each of them would compile pulumi_aws anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
# `make -j` gains nothing here, and two targets at a time would get into each other's way.
.NOTPARALLEL:
.PHONY: services services-test bench-services services-demo services-status services-audit services-tools help venv up preview down shell recover audit status stop logs schema doctor reset tools test test-full check types format bench lock clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv:
	@$(PYTHON) sandbox/bootstrap.py

up: venv ## Apply the stack to the sandbox with the real Pulumi engine
	@$(SANDBOX) up --stack $(STACK)

preview: venv ## Show what `make up` would change
	@$(SANDBOX) preview --stack $(STACK)

down: venv ## Take the stack down, production too: shows what goes and asks (YES=1 does not ask)
	@$(SANDBOX) down --stack $(STACK) $(if $(YES),--yes)

shell: venv ## Open a shell in which `pulumi`, `aws` and `kubectl` work on the sandbox
	@$(SANDBOX) shell --stack $(STACK)

recover: venv ## Put right what a killed or doubtful run left behind (YES=1 does not ask)
	@$(SANDBOX) exec --stack $(STACK) -- python -m operations recover --stack $(STACK) $(if $(YES),--yes) $(ARGS)

audit: venv ## Prove what the stack claims of itself, from AWS's own answers
	@$(SANDBOX) exec --stack $(STACK) -- python -m operations audit --stack $(STACK) $(ARGS)

status: venv ## Show what runs and what stands
	@$(SANDBOX) status --stack $(STACK)

stop: venv ## Stop the emulator and its clusters; what they hold is gone, the next `make up` starts from nothing
	@$(SANDBOX) stop

logs: venv ## Print the end of the emulator's log and of the latest engine run
	@$(SANDBOX) logs

schema: venv ## Write the JSON Schemas of the settings and of the audit output anew
	@$(BIN)/python -m infra.environment --schema
	@$(BIN)/python -m infra.audit --schema > infra/audit/schema.json

doctor: venv ## Check this machine and the sandbox, and say how to mend what is wrong
	@$(SANDBOX) doctor

reset: venv ## Stop the emulator and forget all sandbox state, tools stay (YES=1 does not ask)
	@$(SANDBOX) reset $(if $(YES),--yes)

tools: venv ## Build what the sandbox and the tests run, where it is not built yet
	@$(SANDBOX) tools
	@$(SANDBOX) tools --group shop > /dev/null
	@$(BIN)/python -m tests.stores
	@$(BIN)/python -m services.local prepare
	@$(BIN)/python -m services.testing --prepare

# What ARGS selects is among pytest's tests.
test: check tools ## Check, then run every test and the services' own suites (ARGS="-k network" selects tests)
	@$(BIN)/python -m pytest -n 2 --dist loadgroup --durations 10 $(ARGS)
	@$(if $(ARGS),,$(BIN)/python -m services.testing)

test-full: export CLOUDCOMMERCE_TEST_FULL := 1
test-full: test ## The same with full repeat counts

services: services-tools ## Run the whole shop on this machine without Docker (PORTS=free takes any ports); Ctrl-C stops it
	@$(BIN)/python -m services.local up --tools .sandbox/bin --ports $(PORTS)

services-demo: services-tools ## Walk through registration, search and order; starts a shop of its own when none runs
	@$(BIN)/python -m services.local demo --tools .sandbox/bin

services-status: services-tools ## Show the shop's processes with their health and ports
	@$(BIN)/python -m services.local status --tools .sandbox/bin

services-test: venv ## Run the services' own suites on stores of their own (SERVICES="order user" selects)
	@$(BIN)/python -m services.testing $(SERVICES)

services-audit: venv ## Look for known vulnerabilities in the services' dependencies (asks three databases on the internet)
	@$(BIN)/python -m services.audit

services-tools: venv
	@$(SANDBOX) tools --group shop > /dev/null

check: venv ## Lint, format check, types and import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy $(PACKAGES)
	@$(BIN)/lint-imports --no-logo

types: venv ## Check the types
	@$(BIN)/mypy $(PACKAGES)

format: venv ## Format, and fix what can be fixed
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: venv ## Print the benchmarks
	@$(SANDBOX) exec -- python -m benchmarks $(ARGS)

bench-services: services-tools ## Measure the services beside their floors, their memory and start-up (ARGS=--json)
	@$(BIN)/python -m services.bench $(SERVICES) $(ARGS)

lock: venv ## Resolve the requirements anew and lock them
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --no-annotate sandbox/requirements-bootstrap.in -o sandbox/requirements-bootstrap.txt
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  pyproject.toml sandbox/pyproject.toml --all-extras --group dev -o requirements-dev.txt
	@# What runs on AWS are the versions that were tested.
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  pyproject.toml --extra operations --constraint requirements-dev.txt -o requirements.txt

clean: ## Stop the emulator and delete everything the checkout made for itself
	@if [ -x $(SANDBOX) ]; then $(SANDBOX) stop; fi
	@rm -rf .venv .sandbox .shop build .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@find . -name '*.egg-info' -type d -prune -exec rm -rf {} +
