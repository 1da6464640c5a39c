# One file of tasks. `make run` and `make test` need Python 3.11, make and gcc, nothing else.
PYTHON ?= python3
BIN := .venv/bin
STAMPS := .make
BUF := $(STAMPS)/buf/node_modules/.bin/buf
BUF_VERSION := 1.75.0
SOURCES := server clients tests
STUBS := clients/python
PROTOS := $(wildcard protos/cloudfront_facade/v1/*.proto)
DESCRIPTORS := dist/cloudfront_facade.v1.binpb

.PHONY: help run test lint types proto proto-check buf fmt lock image-test test-aws clean

help:
	@echo "make run         serve on 127.0.0.1:50051 with the embedded backend"
	@echo "make test        install and run every check"
	@echo "make proto       generate the stubs and the descriptor set from protos/"
	@echo "make fmt         format the code and the protos"
	@echo "make lint        ruff, mypy, buf, generated code is current"
	@echo "make lock        pin the requirements anew"
	@echo "make image-test  build the image with buildah and try it (root, Debian)"
	@echo "make test-aws    settle open questions against a real AWS account (costs money, needs credentials)"
	@echo "make clean       remove environments and caches"

run: $(STAMPS)/server
	@$(BIN)/cloudfront-facade serve --backend embedded

test: lint
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term

lint: $(STAMPS)/dev proto-check buf
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/mypy tests

fmt: $(STAMPS)/dev
	$(BIN)/ruff check --fix-only $(SOURCES)
	$(BIN)/ruff format $(SOURCES)
	@if command -v npm >/dev/null; then $(MAKE) $(BUF) && $(BUF) format -w protos; fi

# The generator writes into clients/python, or into the OUT it is given.
OUT ?= $(STUBS)
proto: $(STAMPS)/proto
	@mkdir -p $(OUT) $(dir $(DESCRIPTORS))
	PATH=$(CURDIR)/.venv-proto/bin:$$PATH .venv-proto/bin/python -m grpc_tools.protoc -I protos \
	  --python_out=$(OUT) --mypy_out=quiet:$(OUT) $(PROTOS)
	PATH=$(CURDIR)/.venv-proto/bin:$$PATH .venv-proto/bin/python -m grpc_tools.protoc -I protos \
	  --grpc_python_out=$(OUT) --mypy_grpc_out=quiet:$(OUT) $(filter %_service.proto,$(PROTOS))
	.venv-proto/bin/python -m grpc_tools.protoc -I protos \
	  --descriptor_set_out=$(DESCRIPTORS) --include_imports --include_source_info $(PROTOS)

proto-check: $(STAMPS)/proto
	@rm -rf $(STAMPS)/stubs
	@$(MAKE) --silent proto OUT=$(STAMPS)/stubs
	@diff -r -x __init__.py -x __pycache__ $(STAMPS)/stubs/cloudfront_facade/v1 $(STUBS)/cloudfront_facade/v1 \
	  || { echo "generated code differs from the protos: run make proto"; exit 1; }

buf:
	@if command -v npm >/dev/null; then $(MAKE) --silent $(BUF) && $(BUF) lint protos && $(BUF) format -d --exit-code protos; \
	else echo "buf lint skipped: there is no npm"; fi

lock:
	scripts/lock.sh

image-test:
	scripts/image-test.sh

test-aws: $(STAMPS)/dev
	$(BIN)/python -m pytest tests/aws -m aws --run-aws -s

clean:
	rm -rf .venv .venv-proto $(STAMPS) dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage*

# --- environments --------------------------------------------------------------------------------------------------

.venv/pyvenv.cfg:
	$(PYTHON) -m venv .venv

$(STAMPS)/server: requirements/server.txt pyproject.toml | .venv/pyvenv.cfg
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/server.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/dev: requirements/dev.txt $(STAMPS)/server
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

$(STAMPS)/proto: requirements/proto.txt
	$(PYTHON) -m venv .venv-proto
	.venv-proto/bin/python -m pip install --quiet --require-hashes -r requirements/proto.txt
	@mkdir -p $(STAMPS) && touch $@

$(BUF):
	@mkdir -p $(STAMPS)/buf
	npm install --silent --no-save --no-package-lock --prefix $(STAMPS)/buf @bufbuild/buf@$(BUF_VERSION)
