# The words for people and for CI. The first target makes .venv with the locked versions; every
# other target needs it. Wants: make, and a Python of at least 3.11 with its venv module.

SHELL := /bin/sh
BIN := .venv/bin
UV_VERSION := 0.13.9
export UV_PROJECT_ENVIRONMENT := .venv
export UV_PYTHON_DOWNLOADS := never

.PHONY: sync demo test lint check fmt acceptance crash bench simulate mutants crash-matrix kafka-up kafka-down test-kafka demo-kafka chaos chaos-brokers bench-kafka clean

sync: .venv/synced

.venv/synced: pyproject.toml uv.lock
	@if [ ! -x $(BIN)/python ] || [ ! -x $(BIN)/pip ]; then \
	  for name in python3 python3.11 python3.12 python3.13 python3.14; do \
	    if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$name; break; fi; \
	  done; \
	  if [ -z "$$found" ]; then \
	    echo "expected Python 3.11 or newer as python3, python3.11, ..., found: $$(python3 --version 2>&1); install one" >&2; exit 1; \
	  fi; \
	  rm -rf .venv; \
	  $$found -m venv .venv || { echo "$$found cannot make a virtual environment; install its venv module (Debian: python3-venv)" >&2; exit 1; }; \
	fi
	@[ -x $(BIN)/uv ] || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv sync --locked --quiet
	@touch $@

# The story of one small company, in both CRMs, in under a minute.
demo: sync
	@$(BIN)/dealsync demo

# Every suite that can run here; says first which one cannot, and why.
test: export CRASHES ?= 5
test: sync
	@$(BIN)/python -m tests.suites

# What a reader of the code would find: style, types, import contracts.
lint: sync
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --quiet --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# The same, and the tests that start no server.
check: lint
	@$(BIN)/python -m tests.suites --without-server

fmt: sync
	@$(BIN)/ruff check --quiet --fix-only
	@$(BIN)/ruff format

# A scripted user with the vendors' clients against the running program: one test and more a rule.
acceptance: sync
	@$(BIN)/pytest -q tests/acceptance

# The engine is killed CRASHES times in the middle of the story; then everything must converge.
crash: export CRASHES ?= 50
crash: sync
	@$(BIN)/pytest -q tests/crash

# Whole worlds from seeds, on all cores: no interleaving, fault or crash may break a rule.
simulate: SEEDS ?= 1..200
simulate: MINUTES ?= 1000
simulate: sync
	@$(BIN)/dealsync simulate --seeds $(SEEDS) --minutes $(MINUTES)

# Design faults planted into the engine, one after the other: each must be killed by a check.
mutants: sync
	@$(BIN)/python -m tests.simulation.mutants

# The engine dies at every boundary of every scenario, and at every pair of them in the delicate ones.
crash-matrix: sync
	@$(BIN)/python -m tests.simulation.crash_matrix

# Prints the figures, medians of ROUNDS; writes build/bench.json and build/bench-simulation.json.
bench: export ROUNDS ?= 3
bench: sync
	@mkdir -p build
	@$(BIN)/python -m tests.benchmarks.decide
	@$(BIN)/python -m tests.benchmarks.simulation

# An Apache Kafka on this machine (JDK 17, Maven), on loopback; its data is in build/kafka.
kafka-up: NODES ?= 1
kafka-up: KAFKA_PORT ?= 9092
kafka-up: sync
	@$(BIN)/python -m tests.support.kafka_broker up --nodes $(NODES) --port $(KAFKA_PORT)

# The same story with the facts in Kafka, and the topics as anybody reads them.
demo-kafka: sync
	@$(BIN)/python -m tests.support.kafka_demo

# The suites on a real Kafka: its own, and the acceptance suite on Kafka and PostgreSQL over TCP.
test-kafka: sync
	@TEST_LOG=kafka $(BIN)/pytest -q tests/kafka tests/acceptance

# Workers, the broker and PostgreSQL fail CYCLES times under load; then everything must converge.
chaos: export CYCLES ?= 12
chaos: sync
	@$(BIN)/pytest -q tests/chaos/test_chaos.py

# Of three brokers the leader is killed KILLS times under load.
chaos-brokers: export KILLS ?= 6
chaos-brokers: sync
	@$(BIN)/pytest -q tests/chaos/test_brokers.py

# Prints how fast facts go through Kafka and PostgreSQL; writes build/bench-kafka.json.
bench-kafka: sync
	@$(BIN)/python -m tests.benchmarks.kafka

kafka-down: sync
	@$(BIN)/python -m tests.support.kafka_broker down

clean:
	@rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .venv
