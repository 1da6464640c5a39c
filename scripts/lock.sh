#!/usr/bin/env bash
# Pins requirements/*.txt with hashes and without download addresses.
set -euo pipefail
cd "$(dirname "$0")/.."
python3 -m venv .make/uv
.make/uv/bin/python -m pip install --quiet uv==0.13.9
# The two distributions themselves are installed from the checkout.
compile() {
  .make/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-emit-package cloudfront-facade --no-emit-index-url --no-emit-find-links --no-annotate --no-header "$@"
}
client=clients/python/pyproject.toml
server=server/pyproject.toml
compile $server requirements/build.in -o requirements/server.txt
compile $client $server --extra progress requirements/build.in requirements/dev.in \
  -c requirements/server.txt -o requirements/dev.txt
compile requirements/proto.in -o requirements/proto.txt
compile $server requirements/build.in requirements/bench.in -c requirements/server.txt -o requirements/bench.txt
# gRPC, protobuf and uvloop have the server's versions; botocore cannot.
sed -nE 's/^((grpcio|protobuf|uvloop)[a-z-]*==[^ ;]+).*/\1/p' requirements/server.txt >.make/same-as-server.txt
compile $client requirements/build.in requirements/bench-aio.in \
  -c .make/same-as-server.txt -o requirements/bench-aio.txt
