#!/usr/bin/env bash
# Builds the image with buildah, on base images that debootstrap makes once, without a Docker engine or an image registry.
#
#   image-build.sh TAG
#
# IMAGE_CACHE is the folder for the images; DEBIAN_SUITE and DEBIAN_MIRROR are the source of the base images.
# The settings that this machine needs to reach a package index (address, certificate authority) are passed to the
# build as secrets, so the image does not keep them.
set -euo pipefail
cd "$(dirname "$0")/.."
tag=$1
suite=${DEBIAN_SUITE:-bookworm}
python=python3
if [[ -x .venv/bin/python ]]; then python=.venv/bin/python; fi
work=$(mktemp -d "${TMPDIR:-/var/tmp}/image-build.XXXXXX")
trap 'rm -rf "$work"' EXIT

# make_base NAME PACKAGES: makes an image of a minimal Debian with PACKAGES, unless it exists.
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

# pip_setting NAME: prints pip's setting on this machine, from the environment first; nothing if it is not set.
pip_setting() {
  { "$python" -m pip config list 2>/dev/null || true; } | sort \
    | sed -nE "s/^(:env:|global|install|download)\.$1='(.*)'$/\2/p" | sed -n '1{s/\\n/ /g;p}'
}

secrets=(--secret "id=pip.conf,src=$work/pip.conf")
{
  echo '[global]'
  for name in index-url extra-index-url trusted-host proxy default-timeout timeout retries; do
    # The build cannot see folders of this machine.
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

make_base "localhost/$suite-python-build-tini" python3-venv,tini
make_base "localhost/$suite-python" python3
# OCI's format has no HEALTHCHECK.
scripts/image-buildah.sh bud --isolation chroot --no-cache --force-rm --format docker \
  --build-arg "BUILD_IMAGE=localhost/$suite-python-build-tini" --build-arg "RUNTIME_IMAGE=localhost/$suite-python" \
  --build-arg "VERSION=$(sed -nE 's/^version = "(.*)"$/\1/p' clients/python/pyproject.toml)" \
  "${secrets[@]}" --tag "$tag" .
