#!/usr/bin/env bash
# Runs buildah with its own store under IMAGE_CACHE, separate from the machine's images.
set -euo pipefail
cache=${IMAGE_CACHE:-/var/tmp/cloudfront-facade-image}
exec buildah --root "$cache/storage" --runroot "$cache/run" "$@"
