# make run     the demo on http://localhost:8080/, without root; Ctrl-C stops it
# make test    every test, the end-to-end ones included (ARGS="tests/http -x" to choose)
# make docs    the reference of all settings, docs/settings.md
# make build   the hot modules anew, after a change
# make check   lint, format, types, layers
# Everything is installed below this folder, once: .venv/ and tests/e2e/node/node_modules/.

.DEFAULT_GOAL := help
SHELL := /bin/sh

PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
UV := $(shell command -v uv 2>/dev/null)
NPM := $(shell command -v npm 2>/dev/null)
ARGS ?=

bin := .venv/bin
node := tests/e2e/node
demo_port := 4100
# Compiled at installation: every .pyx, and every .py with a .pxd beside it.
declared := $(shell find gateway -name '*.pxd')
hot := $(declared) $(wildcard $(declared:.pxd=.py)) $(shell find gateway -name '*.pyx')
install := $(if $(UV),$(UV) pip install --quiet --reinstall-package gateway --python $(bin)/python,$(bin)/python -m pip install --quiet --disable-pip-version-check)

.PHONY: help run test build check docs format clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

run: .venv/.installed
	@demo=; front=; \
	trap 'kill $$demo $$front 2>/dev/null; wait' EXIT; trap 'exit 130' INT; trap 'exit 143' TERM; \
	$(bin)/python -m gateway.demo --port $(demo_port) & demo=$$!; \
	$(bin)/twistd -n --pidfile= gateway -c sites/ & front=$$!; \
	tries=0; until $(bin)/python -c 'import socket; socket.create_connection(("127.0.0.1", 8080), 1)' 2>/dev/null; do \
		tries=$$((tries + 1)); sleep 0.2; \
		if [ $$tries -gt 75 ] || ! kill -0 $$front 2>/dev/null; then echo "gateway did not start: see above" >&2; exit 1; fi; done; \
	printf '\nOpen in a browser:\n  %s\n  %s\n  %s\n  %s\n  %s\n  %s\nCtrl-C stops both.\n\n' \
		'http://localhost:8080/       what is running' 'http://app.localhost:8080/   the demo app' \
		'http://blog.localhost:8080/  a static site' 'http://spa.localhost:8080/   a single-page app' \
		'http://away.localhost:8080/  an app that is not running' \
		'https://app.localhost:8443/  the demo app over HTTPS; $(bin)/gateway trust tells how to trust it'; \
	wait $$front

test: tools
	$(bin)/python -m pytest $(ARGS)

.PHONY: tools
tools: .venv/.dev $(if $(NPM),$(node)/node_modules/.installed,no-npm)

build: .venv/.dev
	$(bin)/python hatch_build.py

check: .venv/.dev
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy
	$(bin)/lint-imports

docs: .venv/.installed
	$(bin)/gateway settings > docs/settings.md.new
	mv docs/settings.md.new docs/settings.md

format: .venv/.dev
	$(bin)/ruff check --fix .
	$(bin)/ruff format .

clean:
	rm -rf .venv $(node)/node_modules

.venv/bin/python:
	@if [ -z "$(PYTHON)" ]; then \
		echo "gateway needs Python 3.11 or newer; none was found. Name one: make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; exit 1; fi
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "gateway needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1)." >&2; exit 1; }
	@if $(PYTHON) -c 'import venv, ensurepip' 2>/dev/null; then $(PYTHON) -m venv .venv; \
	elif [ -n "$(UV)" ]; then $(UV) venv --quiet --python $(PYTHON) .venv; \
	else echo "$(PYTHON) cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; fi

.venv/.installed: pyproject.toml hatch_build.py $(hot) | .venv/bin/python
	@echo "installing gateway into .venv"
	@$(install) --editable .
	@touch $@

.venv/.dev: .venv/.installed
	@echo "installing the development tools into .venv"
	@$(install) --editable '.[dev]'
	@touch $@

$(node)/node_modules/.installed: $(node)/package.json $(node)/package-lock.json
	@echo "installing the node packages of the end-to-end tests"
	@cd $(node) && $(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: no-npm
no-npm:
	@if [ "$(CI)" = true ]; then echo "npm is missing, and CI runs every test" >&2; exit 1; fi
	@echo "npm is missing: the tests that drive node clients are skipped"
