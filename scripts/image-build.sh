#!/usr/bin/env bash
# Builds the image with buildah, over base images that debootstrap makes once: no Docker engine, no image registry.
#
#   image-build.sh TAG
#
# IMAGE_CACHE, DEBIAN_SUITE and DEBIAN_MIRROR say where the images are kept and what the base images are made of.
# What this machine needs to reach a package index (an address, a certificate authority) is given to the build as
# secrets, so that the image does not keep it.
set -euo pipefail
cd "$(dirname "$0")/.."
tag=$1
suite=${DEBIAN_SUITE:-bookworm}
python=python3
if [[ -x .venv/bin/python ]]; then python=.venv/bin/python; fi
work=$(mktemp -d "${TMPDIR:-/var/tmp}/image-build.XXXXXX")
trap 'rm -rf "$work"' EXIT

# make_base NAME PACKAGE: an image of a minimal Debian with PACKAGE, unless there is one.
make_base() {
  if scripts/image-buildah.sh inspect --type image "$1" >/dev/null 2>&1; then return; fi
  echo "making the base image $1 with debootstrap (a minute or two)"
  debootstrap --variant=minbase --include="$2" "$suite" "$work/$2" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >"$work/log" 2>&1 \
    || { tail -n 20 "$work/log" >&2; exit 1; }
  rm -f "$work/$2"/var/cache/apt/archives/*.deb
  local container
  container=$(scripts/image-buildah.sh from scratch)
  scripts/image-buildah.sh add --quiet "$container" "$work/$2" / >/dev/null
  scripts/image-buildah.sh commit --quiet --rm --format docker "$container" "$1" >/dev/null
}

# pip_setting NAME: pip's setting on this machine, that of the environment first; nothing where there is none.
pip_setting() {
  { "$python" -m pip config list 2>/dev/null || true; } | sort \
    | sed -nE "s/^(:env:|global|install|download)\.$1='(.*)'$/\2/p" | sed -n '1{s/\\n/ /g;p}'
}

secrets=(--secret "id=pip.conf,src=$work/pip.conf")
{
  echo '[global]'
  for name in index-url extra-index-url trusted-host proxy default-timeout timeout retries; do
    # A folder of this machine is not there in the build.
    value=$(pip_setting "$name" | tr -s ' ' '\n' | { grep -vE '^(file:|/)' || true; } | paste -sd ' ')
    if [[ -n $value ]]; then echo "$name = $value"; fi
  done
  authority=$(pip_setting cert)
  authority=${authority:-${REQUESTS_CA_BUNDLE:-${SSL_CERT_FILE:-}}}
  if [[ -f $authority ]]; then
    echo 'cert = /run/secrets/ca.crt'
    secrets+=(--secret "id=ca.crt,src=$authority")
  fi
} >"$work/pip.conf"

make_base "localhost/$suite-python-build" python3-venv
make_base "localhost/$suite-python" python3
# The other format, OCI's, has no HEALTHCHECK.
scripts/image-buildah.sh bud --isolation chroot --no-cache --force-rm --format docker \
  --build-arg "BUILD_IMAGE=localhost/$suite-python-build" --build-arg "RUNTIME_IMAGE=localhost/$suite-python" \
  --build-arg "VERSION=$(sed -nE 's/^version = "(.*)"$/\1/p' pyproject.toml)" \
  "${secrets[@]}" --tag "$tag" .
