# make demo   set up and run the main job on the sample videos     (make demo ARGS=--once ends by itself)
# make test   set up everything and run the test suite
# make check  format, lint, types, layers
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
LOCK := requirements.lock
ARGS ?=
TESTS ?= tests
# Worker processes; a test file stays in one of them, with the servers it started.
WORKERS ?= auto
# TESTS may name only tests of the one kind or of the other: pytest ends with 5 where it has none.
OR_NONE := || [ $$? -eq 5 ]

.PHONY: help setup setup-test debian demo test check format schema lock clean

help:
	@sed -n 's/^# //p' Makefile

setup: $(VENV)/.base

$(VENV)/bin/python:
	@$(PYTHON) .ci/make_venv.py $(VENV)

# The base install: what runs in a city, without torch.
$(VENV)/.base: $(VENV)/bin/python pyproject.toml $(LOCK)
	$(PIP) install --quiet --constraint $(LOCK) --editable .
	@touch $@

# What tests and training need on top: the extra with torch, PostgreSQL's driver, the tools.
$(VENV)/.full: $(VENV)/.base
	$(PIP) install --quiet --constraint $(LOCK) --editable '.[ultralytics,postgres]' --group dev
	@touch $@

setup-test: $(VENV)/.full debian

# Real servers for the tests; without root they are skipped by name.
debian:
	@.ci/debian-packages

demo: setup
	$(BIN)/streetwarden demo $(ARGS)

test: setup-test
	$(BIN)/pytest $(TESTS) -m "not alone" -n $(WORKERS) --maxprocesses 4 --dist loadfile $(ARGS) $(OR_NONE)
	$(BIN)/pytest $(TESTS) -m alone $(ARGS) $(OR_NONE)

check: $(VENV)/.full
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.full
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

schema: setup
	$(BIN)/python -m service.config.schema

# Versions as they are in a full installation that passed the tests.
lock: $(VENV)/.full
	$(PIP) freeze --exclude-editable > $(LOCK)

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
