# Two commands: `make nightly` and `make test`. Both build what they need first; see README.md.
.DEFAULT_GOAL := help
.PHONY: actions styles campaign help setup lock nightly up page test test-fast coverage check benchmark-sessionize docs results

SOURCE ?=
DATE ?=

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | awk -F'\t' '{printf "  make %-22s %s\n", $$1, $$2}'

setup:  ## build .venv (jobs) and .venv-airflow from the locked requirements
	@docker/setup.sh

lock:  ## resolve the requirements anew and write the locks
	@docker/setup.sh lock

nightly: setup  ## one night: [SOURCE=shop|tafeng|csv|my.toml] [DATE=YYYY-MM-DD]
	@.venv/bin/larder nightly $(if $(SOURCE),--source '$(SOURCE)') $(if $(DATE),--business-date '$(DATE)')

actions: setup  ## the next actions of every open case of a sales team: [SOURCE=sales|my.toml] [DATE=YYYY-MM-DD]
	@.venv/bin/larder run sale_actions --source '$(or $(SOURCE),sales)' $(if $(DATE),--business-date '$(DATE)')
	@.venv/bin/larder actions list --source '$(or $(SOURCE),sales)'

styles: setup  ## everything in store ranked for each customer of a fashion shop: [SOURCE=fashion|my.toml] [DATE=YYYY-MM-DD]
	@.venv/bin/larder nightly --source '$(or $(SOURCE),fashion)' $(if $(DATE),--business-date '$(DATE)')
	@.venv/bin/larder styles list --customer "$$(.venv/bin/larder styles customers --source '$(or $(SOURCE),fashion)' --limit 1)" \
	  --source '$(or $(SOURCE),fashion)'

docs: setup  ## docs/tables.md and docs/settings.md, from the code
	@.venv/bin/python -m pipeline.reference

results: setup  ## docs/results.md and its plots, from the scores kept in docs/results
	@.venv/bin/python -m pipeline.benchmarks.results

up: setup  ## Airflow, MLflow and the alerts' page on 127.0.0.1 until Ctrl-C
	@.venv/bin/larder up

page: setup  ## the alerts' page alone, on 127.0.0.1:8050 until Ctrl-C
	@.venv/bin/larder page

# The tests of a file share fixtures and stay in one process; files go to whichever process is free, slow ones first.
PYTEST = .venv/bin/pytest -n 2 --dist loadfile --no-loadscope-reorder

test: setup  ## every test, one night of a tiny shop through Airflow included
	@$(PYTEST)

test-fast: setup  ## every test but those that need a browser, PostgreSQL or a whole night
	@$(PYTEST) -m 'not browser and not postgres and not end_to_end'

coverage: setup  ## every test, and which lines none of them reached
	@$(PYTEST) --cov --cov-report=term

campaign: setup  ## kills, losses and attacks, an hour: [PARTS='lake postgres ...']; the table goes into docs/results
	@.venv/bin/python -m tests.campaign $(PARTS); status=$$?; .venv/bin/python -m pipeline.benchmarks.results; exit $$status

check: setup  ## ruff, mypy, import-linter, yamllint
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@.venv/bin/yamllint --strict -c docker/.yamllint docker .pre-commit-config.yaml

benchmark-sessionize: setup  ## time Spark's sessionizing against DuckDB and Polars: [LINES=10000000] [OUT=var/benchmark]
	@.venv/bin/python -m spark_jobs.benchmarks.sessionize --lines $(or $(LINES),10000000) \
	  --out '$(or $(OUT),var/benchmark)' --measured-on "$$(date +%F)"
