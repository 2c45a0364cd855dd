# `make run` and `make test` need Python 3.11 or later and nothing else. docs/operations.md explains every target.
# Written for GNU make 3.81 too. Paths are relative, so the checkout may lie anywhere.

SHELL = /bin/sh
PYTHON =
HOST =
PORT =
ARGS =
export PYTHON
python = .venv/bin/python

.DEFAULT_GOAL = help
.PHONY: help run demo demo-fresh demo-clean stop password test test-slow test-pages test-faults test-hostile soak check figures bench pictures clean packages packages-dev

help:
	@echo "make run [HOST=127.0.0.1] [PORT=8000]   prepare everything and serve the site"
	@echo "make demo [PORT=8000]                   a fleet with thirty days of trades to look at, on data of its own"
	@echo "make demo-fresh                         delete the demo and make it again"
	@echo "make demo-clean                         delete the demo with all its data"
	@echo "make stop                               stop what make run started"
	@echo "make password [ARGS=user]               new random password for admin, or for another account"
	@echo "make test [ARGS='-k name']              the tests that need no server or browser of their own (under four minutes)"
	@echo "make test-slow                          start servers and a browser, as make run does (some minutes)"
	@echo "make test-pages                         every page at every width, light and dark (some minutes)"
	@echo "make test-faults                        kill servers, race processes (some minutes)"
	@echo "make test-hostile                       send odd values to every page (an hour; not in CI)"
	@echo "make soak                               the property tests with a thousand new examples each (half an hour)"
	@echo "make check                              format, lint, types, layers, migrations"
	@echo "make figures                            sizes, names, SQL and comments of the code, as numbers"
	@echo "make bench                              measure, and write docs/benchmarks.md"
	@echo "make pictures                           take the pictures of docs/ anew"
	@echo "make clean                              remove .venv and caches; data stays"

packages:
	@scripts/venv requirements.txt

packages-dev:
	@scripts/venv requirements-dev.txt

run: packages
	@exec $(python) manage.py serve $(if $(HOST),--host "$(HOST)") $(if $(PORT),--port "$(PORT)")

demo: packages
	@exec env NOF0_DEMO=1 $(python) manage.py serve $(if $(HOST),--host "$(HOST)") $(if $(PORT),--port "$(PORT)")

demo-fresh: packages
	@NOF0_DEMO=1 $(python) manage.py remove_demo
	@exec env NOF0_DEMO=1 $(python) manage.py serve $(if $(HOST),--host "$(HOST)") $(if $(PORT),--port "$(PORT)")

demo-clean: packages
	@exec env NOF0_DEMO=1 $(python) manage.py remove_demo

stop: packages
	@exec $(python) manage.py stop_servers

password: packages
	@exec $(python) manage.py reset_password $(ARGS)

test: packages
	@exec $(python) -m pytest $(ARGS)

test-slow: packages
	@exec $(python) -m pytest -m "slow and not faults and not hostile and not pages and not pictures" $(ARGS)

test-pages: packages
	@exec $(python) -m pytest -m pages $(ARGS)

test-faults: packages-dev
	@exec $(python) -m pytest -m faults $(ARGS)

test-hostile: packages
	@exec $(python) -m pytest -m hostile $(ARGS)

soak: packages
	@exec $(python) -m pytest --hypothesis-profile=soak -m "hypothesis and not slow and not faults" $(ARGS)

check: packages-dev
	$(python) -m ruff format --check .
	$(python) -m ruff check .
	$(python) -m djlint --lint --quiet templates
	$(python) -m mypy
	.venv/bin/python -c 'from importlinter.cli import lint_imports_command as run; run()'
	$(python) manage.py makemigrations --check --dry-run

figures: packages
	@exec $(python) scripts/figures.py

bench: packages-dev
	@exec $(python) -m benchmarks --write $(ARGS)

pictures: packages
	@exec $(python) -m pytest -m pictures $(ARGS)

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
