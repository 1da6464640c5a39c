#!/usr/bin/env bash
# buildah with a store of its own under IMAGE_CACHE, apart from the machine's images.
set -euo pipefail
cache=${IMAGE_CACHE:-/var/tmp/cloudfront-facade-image}
exec buildah --root "$cache/storage" --runroot "$cache/run" "$@"
