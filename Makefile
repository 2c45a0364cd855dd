# `make run` and `make test` need Python 3.11 or later and nothing else. docs/operations.md explains every target.
# Written for GNU make 3.81 too. Paths are relative, so the checkout may lie anywhere.

SHELL = /bin/sh
PYTHON =
UNLOCKED =
HOST =
PORT =
ARGS =
export PYTHON UNLOCKED
python = .venv/bin/python

.DEFAULT_GOAL = help
.PHONY: help run demo demo-fresh demo-clean stop password test test-slow test-pages test-faults test-hostile soak soak-properties soak-fleet check figures bench pictures languages clean packages packages-dev

help:
	@echo "make run [HOST=127.0.0.1] [PORT=8000]   prepare everything and serve the site"
	@echo "make run RUN_MANAGER=1                  also run traders on paper (docs/manager.md)"
	@echo "make demo [PORT=8000]                   a fleet with thirty days of trades to look at, on data of its own"
	@echo "make demo-fresh                         delete the demo and make it again"
	@echo "make demo-clean                         delete the demo with all its data"
	@echo "make stop                               stop what make run started"
	@echo "make password [ARGS=user]               new random password for admin, or for another account"
	@echo "make test [ARGS='-k name']              the tests that need no server or browser of their own (about ten minutes on two cores)"
	@echo "make test-slow                          start servers and a browser, as make run does (some minutes)"
	@echo "make test-pages                         every page at the widths of a phone and a notebook, light and dark"
	@echo "make test-faults                        kill servers, race processes (some minutes)"
	@echo "make test-hostile                       send odd values to every page (an hour; not in CI)"
	@echo "make soak                               a thousand new examples for each property, and a fleet killed for hours"
	@echo "make check                              format, lint, types, layers, migrations"
	@echo "make figures                            sizes, names, SQL and comments of the code, as numbers"
	@echo "make bench                              measure, and write docs/benchmarks.md"
	@echo "make pictures                           take the pictures of docs/ anew"
	@echo "make languages                          bring locale/ up to date with the texts of the code (needs gettext)"
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

# As many processes as the machine has processors, at most four, each with servers of its own.
side_by_side = -n logical --maxprocesses 4 --dist loadfile

test: packages
	@exec $(python) -m pytest $(side_by_side) $(ARGS)

test-slow: packages
	@exec $(python) -m pytest $(side_by_side) -m "slow and not faults and not hostile and not pages and not pictures and not soak" $(ARGS)

test-pages: packages
	@exec $(python) -m pytest $(side_by_side) -m pages $(ARGS)

# All requests of the OpenAPI document are tests of one id, of which processes side by side would run one.
one_id = tests/trading/api/test_openapi.py

test-faults: packages-dev
	@$(python) -m pytest $(side_by_side) -m faults --ignore $(one_id) $(ARGS) || [ $$? -eq 5 ]
	@$(python) -m pytest -m faults $(one_id) $(ARGS) || [ $$? -eq 5 ]

test-hostile: packages
	@exec $(python) -m pytest -m hostile $(ARGS)

soak: soak-properties soak-fleet

soak-properties: packages
	@$(python) -m pytest --hypothesis-profile=soak -m "hypothesis and not slow and not faults and not soak" $(ARGS) || [ $$? -eq 5 ]

# With -s a run says which seed it has.
soak-fleet: packages
	@$(python) -m pytest -s -m soak $(ARGS) || [ $$? -eq 5 ]

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

# Texts of tests, tools and migrations are for developers.
untranslated = tests benchmarks scripts clients migrations
languages: packages
	@$(python) manage.py makemessages -l zh_Hans --no-location --no-obsolete $(untranslated:%=--ignore %)
	@msgfmt --check -o locale/zh_Hans/LC_MESSAGES/django.mo locale/zh_Hans/LC_MESSAGES/django.po
	@msgattrib --untranslated locale/zh_Hans/LC_MESSAGES/django.po

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
