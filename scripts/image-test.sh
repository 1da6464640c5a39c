#!/usr/bin/env bash
# Builds the image and tests it, with one line per check, and stops at the first failure: `make image-test`.
#
# It needs root and Debian's buildah and debootstrap, and no Docker engine. The container runs in its own namespaces
# (image-sandbox.sh), so it uses none of this machine's ports. The base images stay in IMAGE_CACHE; remove it to build
# them again.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
export IMAGE_CACHE=${IMAGE_CACHE:-/var/tmp/cloudfront-facade-image}
facade=/opt/cloudfront-facade/bin/cloudfront-facade
tag=localhost/cloudfront-facade:test-$$

pass() { echo "ok    $*"; }
fail() {
  echo "FAIL  $*"
  exit 1
}
# check SENTENCE COMMAND...: reports whether a command succeeds, with its output if it fails.
check() {
  local sentence=$1
  shift
  if "$@" >"$work/output" 2>&1; then pass "$sentence"; else
    tail -n 20 "$work/output"
    fail "$sentence"
  fi
}

missing=()
if [[ $EUID -ne 0 ]]; then missing+=("root"); fi
for program in buildah debootstrap jq ip unshare nsenter grpcurl; do
  if ! command -v "$program" >/dev/null; then missing+=("$program"); fi
done
if ((${#missing[@]})); then
  echo "image-test needs ${missing[*]}: apt-get install buildah debootstrap jq iproute2, make grpcurl" >&2
  exit 1
fi

# --- clean-up --------------------------------------------------------------------------------------------------------

work=$(mktemp -d /var/tmp/image-test.XXXXXX)
container=
sandbox=
clean_up() {
  if [[ -n $sandbox ]]; then kill -KILL "$sandbox" 2>/dev/null && wait "$sandbox" 2>/dev/null; fi
  if [[ -n $container ]]; then scripts/image-buildah.sh rm "$container" >/dev/null; fi
  scripts/image-buildah.sh rmi --force "$tag" >/dev/null 2>&1
  rm -rf "$work"
}
trap 'set +e; clean_up' EXIT
trap 'exit 130' INT TERM

# --- the image -------------------------------------------------------------------------------------------------------

SECONDS=0
check "the image builds" scripts/image-build.sh "$tag"
echo "      in $SECONDS s"
container=$(scripts/image-buildah.sh from "$tag")
root=$(scripts/image-buildah.sh mount "$container")
scripts/image-buildah.sh inspect --type image "$tag" | jq .Docker.config >"$work/config.json"

# configured SENTENCE FILTER: checks the image's configuration with a jq filter.
configured() { check "$1" jq --exit-status "$2" "$work/config.json"; }
configured "the user is a number and not root" '.User | test("^[1-9][0-9]*:[1-9][0-9]*$")'
configured "the entrypoint is the command below tini, without a shell" \
  ".Entrypoint == [\"/usr/bin/tini\", \"-e\", \"143\", \"--\", \"$facade\"] and .Cmd == [\"serve\"]"
configured "it has a health check, without a shell" ".Healthcheck.Test == [\"CMD\", \"$facade\", \"health\"]"
configured "it has one volume" '.Volumes | keys == ["/var/lib/cloudfront-facade"]'
configured "port 50051 is exposed" '.ExposedPorts | keys == ["50051/tcp"]'
configured "SIGTERM stops it" '.StopSignal == "SIGTERM"'
configured "the labels have title, description and version" \
  '[.Labels["org.opencontainers.image." + ("title", "description", "version")] | length > 0] | all'
configured "the description is that of server/pyproject.toml" \
  ".Labels[\"org.opencontainers.image.description\"] == $(sed -nE 's/^description = (".*")$/\1/p' server/pyproject.toml)"
configured "neither backend nor plaintext is set" '[.Env[] | select(test("BACKEND|PLAINTEXT"))] == []'
configured "nothing of this machine's settings is kept" '[.Env[] | select(test("PIP|CERT|PROXY"; "i"))] == []'

user=$(jq -r .User "$work/config.json")
volume=$(jq -r '.Volumes | keys[0]' "$work/config.json")
readarray -t environment < <(jq -r '.Env[]' "$work/config.json")

# none_found TESTS...: succeeds if no path of the image passes these tests of find; prints those that do.
none_found() {
  local found
  found=$(find "$root" -xdev -regextype posix-extended \( "$@" \) -print)
  echo "$found"
  [[ -z $found ]]
}
check "it holds no compiler, no installer and no build tool" none_found \
  -regex '.*/bin/(pip.*|.*gcc|cc|.*[cg][+][+]|clang.*|make|ld)' \
  -o -regex '.*-packages/(pip|setuptools|hatchling|editables)' -o -name ensurepip
check "only root may write outside the volume, except in temporary folders" \
  none_found ! -path "$root$volume" ! -path "$root/dev/*" ! -type l \( -user "${user%:*}" -o -group "${user#*:}" \
  -o -perm -o+w ! -perm -1000 \)
each_is_compiled() {
  local source compiled=0
  while read -r source; do
    if ! compgen -G "${source%/*}/__pycache__/$(basename "$source" .py).*.pyc" >/dev/null; then
      echo "$source"
      return 1
    fi
    compiled=$((compiled + 1))
  done < <(find "$root/opt/cloudfront-facade/lib" -name '*.py')
  [[ $compiled -gt 0 ]]
}
check "every module is compiled" each_is_compiled
megabytes() { du -sm --apparent-size "$1" | cut -f1; }
echo "      $(megabytes "$root") MB, of them $(megabytes "$root/opt") MB the server and its packages"

# --- the container ---------------------------------------------------------------------------------------------------

# Docker fills a new volume like this.
cp --archive --no-target-directory "$root$volume" "$work/state"

# in_container COMMAND...: runs a command in its own container, in the foreground.
in_container() {
  timeout --kill-after=5 60 scripts/image-sandbox.sh "$root" "$volume" "$work/state" "$user" \
    /usr/bin/env -i "${environment[@]}" "$@"
}
# begin ARGUMENTS...: starts the server in its own container, and does not wait for it.
begin() {
  scripts/image-sandbox.sh "$root" "$volume" "$work/state" "$user" \
    /usr/bin/env -i "${environment[@]}" /usr/bin/tini -e 143 -- "$facade" "$@" >"$work/log" 2>&1 &
  sandbox=$!
}
# start ARGUMENTS...: starts the server and waits for it; $server is the process ID of tini on this machine.
start() {
  begin "$@"
  local tries
  for tries in {1..150}; do
    server=$(cat "/proc/$sandbox/task/$sandbox/children" 2>/dev/null) && server=${server// /}
    if [[ -n $server ]] && healthy >/dev/null 2>&1; then return; fi
    kill -0 "$sandbox" 2>/dev/null || break
    sleep 0.2
  done
  tail -n 20 "$work/log"
  fail "the server did not become healthy"
}
# Like `docker exec`.
healthy() {
  env -i "${environment[@]}" /usr/bin/nsenter --target "$server" --mount --pid --net --ipc --uts --root --wd \
    --setuid "${user%:*}" --setgid "${user#*:}" "$facade" health
}
# stop: sends SIGTERM and returns the server's exit code.
stop() {
  local code=0
  kill -TERM "$server"
  timeout 60 tail --pid="$server" --follow /dev/null || return
  wait "$sandbox" || code=$?
  sandbox=
  tail -n 5 "$work/log"
  return "$code"
}
# stops_in_its_start SECONDS: sends SIGTERM so many seconds after tini has started the server.
stops_in_its_start() {
  begin serve --backend embedded --allow-plaintext
  local tries
  for tries in {1..500}; do
    server=$(cat "/proc/$sandbox/task/$sandbox/children" 2>/dev/null) && server=${server// /}
    # The sandbox has the same process ID before it becomes tini.
    if [[ -n $server && $(cat "/proc/$server/comm" 2>/dev/null) == tini \
      && -n $(cat "/proc/$server/task/$server/children" 2>/dev/null) ]]; then break; fi
    sleep 0.01
  done
  sleep "$1"
  stop
}
create() {
  jq -n --arg code "$(base64 -w0 examples/functions/url-rewrite-index.js)" '{
    name: "image-test", function_code: $code, function_config: {runtime: "FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0"},
    tags: [{key: "team", value: "image"}]}' \
    | nsenter --target "$server" --net "$(command -v grpcurl)" -plaintext -max-time 20 -d @ 127.0.0.1:50051 \
      cloudfront_facade.v1.FunctionService/CreateFunction
}
# fails_with WORD ARGUMENTS...: succeeds if `serve` exits with 1 and one line that has the word.
fails_with() {
  local word=$1 code=0
  shift
  in_container "$facade" serve "$@" >"$work/failure" 2>&1 || code=$?
  echo "exit code $code:"
  cat "$work/failure"
  [[ $code -eq 1 && $(wc -l <"$work/failure") -eq 1 ]] && grep -q -e "$word" "$work/failure"
}
# grpcurl releases spell the names of members differently.
returns_an_arn() {
  create | tee /dev/stderr | jq --exit-status '[.. | strings | select(startswith("arn:"))] | length == 1'
}
reports_it_exists() { ! create >"$work/answer" 2>&1 && tee /dev/stderr <"$work/answer" | grep -q AlreadyExists; }
health_fails() { ! in_container "$facade" health; }
cannot_write() {
  in_container /opt/cloudfront-facade/bin/python -c "open('$1', 'w')" >"$work/write" 2>&1 && return 1
  tee /dev/stderr <"$work/write" | grep -q 'Read-only file system'
}
has_no_privileges() {
  in_container /usr/bin/grep -E '^(Uid|Cap(Prm|Eff)):' /proc/self/status | tee /dev/stderr \
    | awk '$1 == "Uid:" && $2 == 0 || $1 != "Uid:" && $2 !~ /^0+$/ { bad = 1 } END { exit bad }'
}

check "the root is read-only" cannot_write /tmp/file
check "it runs without root and without capabilities" has_no_privileges
check "serve without --backend exits with 1 and one line" fails_with --backend --allow-plaintext
check "serve on 0.0.0.0 without TLS or --allow-plaintext exits with 1 and one line" \
  fails_with --allow-plaintext --backend embedded
check "the health command fails without a server" health_fails
started=$(date +%s%N)
start serve --backend embedded --allow-plaintext
pass "it serves"
echo "      healthy after $((($(date +%s%N) - started) / 1000000)) ms"
check "the health command reports it" healthy
check "a create by grpcurl returns an ARN" returns_an_arn
check "SIGTERM ends it with exit code 0" stop
for delay in 0 0.05 0.2 0.5; do
  check "SIGTERM $delay s after the start ends it with exit code 0" stops_in_its_start "$delay"
done
environment+=(CLOUDFRONT_FACADE_BACKEND=embedded CLOUDFRONT_FACADE_ALLOW_PLAINTEXT=true)
start serve
pass "it serves with variables too"
check "the function still exists after a restart" reports_it_exists
check "SIGTERM ends it with exit code 0 again" stop
echo "all checks passed"
