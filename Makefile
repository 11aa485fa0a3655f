# make run   a coalition of eight nodes shares real products, then says who got what
# make bench the tables of docs/performance.md
# make test  everything that can be checked here in under 15 minutes
# make test-long  the properties with many more examples: about an hour
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PRODUCTS ?=
DEMO_ARGS ?=

# Trust what the machine trusts: an organisation's own mirror often has its own authority.
export UV_SYSTEM_CERTS = true
# Hundreds of processes start here: each is to find what the first one compiled.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test test-long lint chromium bench lock clean

run: $(VENV)/.ready
	$(BIN)/tearline demo $(foreach file,$(PRODUCTS),--products $(file)) $(DEMO_ARGS)

test: $(VENV)/.ready lint chromium
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

test-long: $(VENV)/.ready
	TEARLINE_LONG=1 $(BIN)/python -m pytest tests/properties

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	@! grep -n '://' requirements.lock || { echo 'requirements.lock names a host: lock by hash only'; exit 1; }

# The desk is tested in Debian's browser.
chromium:
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	  chromium fonts-dejavu-core >/dev/null; } || echo 'No chromium here: the tests in a browser are not run.'

$(VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@du -sh $(VENV) | awk '{print "installed into $(VENV): " $$1}'
	@touch $@

bench: $(VENV)/.ready
	for each in taxii federation timing media imagery signals catalogue gate intake_memory seal receipts proof replay names names_speed; do PYTHONPATH=. $(BIN)/python benchmarks/$$each.py || exit 1; done

lock:
	uv pip compile pyproject.toml --extra dev --generate-hashes --universal --no-annotate --no-header -o requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
