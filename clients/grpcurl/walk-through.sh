#!/bin/sh
# The whole life of a function and its store with grpcurl: create, fill, test, publish, update, tag, delete. It calls every
# rpc at least once.
#
#   clients/grpcurl/walk-through.sh [HOST:PORT]
#
# Without HOST:PORT, it calls the server of `make run`. It uses plaintext, and deletes what it created, even if a step fails.
set -eu
usage="usage: clients/grpcurl/walk-through.sh [HOST:PORT]"
case $#,${1-} in
1,-h | 1,--help)
  echo "$usage"
  exit
  ;;
1,-*)
  echo "walk-through.sh: unknown option \"$1\"; $usage" >&2
  exit 2
  ;;
0, | 1,?*) ;;
*)
  echo "walk-through.sh: at most one argument is allowed; $usage" >&2
  exit 2
  ;;
esac
if ! command -v grpcurl >/dev/null; then
  echo "walk-through.sh: grpcurl is not on PATH; run: make grpcurl && export PATH=\"\$PWD/.venv/bin:\$PATH\"" >&2
  exit 1
fi
cd "$(dirname "$0")/../.."
target=${1:-127.0.0.1:50051}
run=$(date +%s)-$$
store=walk-redirects-$run
function=walk-redirect-$run

# call SERVICE/METHOD sends standard input, in JSON, and stores the response. member NAME prints a value of the response.
send() { grpcurl -plaintext -d @ "$target" "cloudfront_facade.v1.$1"; }
call() { response=$(send "$1"); }
member() { printf '%s\n' "$response" | sed -n "s/^ *\"$1\": \"\(.*\)\",\{0,1\}$/\1/p" | tail -n 1 | sed 's/\\"/"/g'; }
in_base64() { base64 | tr -d '\n'; }
say() { printf '%s\n' "-- $*"; }

# remove NAME READ DELETE deletes the resource if READ finds it, and warns if it may be left behind.
remove() {
  if response=$(echo "{\"name\": \"$1\"}" | send "$2" 2>&1); then
    response=$(echo "{\"name\": \"$1\", \"etag\": \"$(member etag)\"}" | send "$3" 2>&1) && return
  fi
  case $response in *"Code: NotFound"*) ;; *) say "$1 may be left behind: $response" >&2 ;; esac
}
# Deletes the function first, because it uses the store, and the store once it is READY.
clean_up() {
  code=$?
  trap - EXIT HUP INT TERM
  remove "$function" FunctionService/DescribeFunction FunctionService/DeleteFunction
  remove "$store" KeyValueStoreService/WaitForKeyValueStore KeyValueStoreService/DeleteKeyValueStore
  exit "$code"
}

# If no server answers, there is nothing to clean up.
grpcurl -plaintext "$target" list >/dev/null
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

say "a store, PROVISIONING at first"
call KeyValueStoreService/CreateKeyValueStore <<JSON
{"name": "$store", "comment": "old paths", "tags": [{"key": "team", "value": "web"}]}
JSON
store_arn=$(member arn)
call KeyValueStoreService/WaitForKeyValueStore <<JSON
{"name": "$store"}
JSON
call KeyValueStoreService/ListKeyValueStores <<JSON
{"status": "READY"}
JSON
call KeyValueStoreService/DescribeKeyValueStore <<JSON
{"name": "$store"}
JSON
call KeyValueStoreService/UpdateKeyValueStore <<JSON
{"name": "$store", "comment": "old paths and their targets", "etag": "$(member etag)"}
JSON
store_etag=$(member etag)

say "keys: one, then several changes in their order, then a stream of changes"
call KeyValueStoreDataService/PutKey <<JSON
{"kvs_arn": "$store_arn", "key": "/old", "value": "/wrong"}
JSON
call KeyValueStoreDataService/UpdateKeys <<JSON
{"kvs_arn": "$store_arn", "changes": [
  {"put": {"key": "/old", "value": "/new"}}, {"put": {"key": "/gone", "value": "/"}}, {"delete": "/gone"}]}
JSON
call KeyValueStoreDataService/ImportKeys <<JSON
{"kvs_arn": "$store_arn", "changes": [{"put": {"key": "/a", "value": "/b"}}]}
{"changes": [{"put": {"key": "/c", "value": "/d"}}]}
JSON
call KeyValueStoreDataService/DeleteKey <<JSON
{"kvs_arn": "$store_arn", "key": "/c"}
JSON
call KeyValueStoreDataService/GetKey <<JSON
{"kvs_arn": "$store_arn", "key": "/old"}
JSON
member value
call KeyValueStoreDataService/ListKeys <<JSON
{"kvs_arn": "$store_arn", "page_size": 50}
JSON
call KeyValueStoreDataService/DescribeKeyValueStoreData <<JSON
{"kvs_arn": "$store_arn"}
JSON
echo "$response"

say "a function that reads the store"
call FunctionService/CreateFunction <<JSON
{
  "name": "$function",
  "function_config": {
    "runtime": "FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0",
    "key_value_store_associations": [{"key_value_store_arn": "$store_arn"}]
  },
  "function_code": "$(in_base64 < examples/functions/redirect-table-from-key-value-store.js)",
  "tags": [{"key": "team", "value": "web"}]
}
JSON
etag=$(member etag)
function_arn=${store_arn%%:key-value-store/*}:function/$function

say "a test with an event, which travels in base64 like code"
event='{"version": "1.0", "context": {"eventType": "viewer-request"}, "viewer": {"ip": "198.51.100.1"},
  "request": {"method": "GET", "uri": "/old", "querystring": {}, "headers": {}, "cookies": {}}}'
call FunctionService/TestFunction <<JSON
{"name": "$function", "etag": "$etag", "event_object": "$(printf %s "$event" | in_base64)"}
JSON
member functionOutput

say "publish it for distributions"
call FunctionService/PublishFunction <<JSON
{"name": "$function", "etag": "$etag"}
JSON
member stage

say "update it: this replaces the configuration and the code of DEVELOPMENT; LIVE does not change"
call FunctionService/UpdateFunction <<JSON
{
  "name": "$function",
  "etag": "$etag",
  "function_config": {"comment": "without a store", "runtime": "FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0"},
  "function_code": "$(in_base64 < examples/functions/url-rewrite-index.js)"
}
JSON
etag=$(member etag)
call FunctionService/GetFunction <<JSON
{"name": "$function", "stage": "FUNCTION_STAGE_LIVE"}
JSON
call FunctionService/ListFunctions <<JSON
{"page_size": 100}
JSON
call FunctionService/DescribeFunction <<JSON
{"name": "$function"}
JSON
member comment

say "tag it"
call TagService/TagResource <<JSON
{"resource": "$function_arn", "tags": [{"key": "stage", "value": "beta"}]}
JSON
call TagService/UntagResource <<JSON
{"resource": "$function_arn", "tag_keys": ["team"]}
JSON
call TagService/ListTagsForResource <<JSON
{"resource": "$function_arn"}
JSON
echo "$response"

say "the store cannot be deleted yet: LIVE reads it"
error=$(echo "{\"name\": \"$store\", \"etag\": \"$store_etag\"}" | send KeyValueStoreService/DeleteKeyValueStore 2>&1) || true
case $error in
*KEY_VALUE_STORE_IN_USE*) ;;
*)
  say "expected KEY_VALUE_STORE_IN_USE: $error" >&2
  exit 1
  ;;
esac

say "delete both"
call FunctionService/DeleteFunction <<JSON
{"name": "$function", "etag": "$etag"}
JSON
call KeyValueStoreService/DeleteKeyValueStore <<JSON
{"name": "$store", "etag": "$store_etag"}
JSON
trap - EXIT
say "done"
