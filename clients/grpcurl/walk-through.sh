#!/bin/sh
# The whole life of a function and its store, by grpcurl alone: create, fill, test, publish, update, tag, delete. Every rpc is
# called once at least.
#
#   clients/grpcurl/walk-through.sh [HOST:PORT]
#
# It speaks to `make run` (or to HOST:PORT, plaintext), in the root of the repository, and leaves nothing behind, also when a
# step fails.
set -eu
target=${1:-127.0.0.1:50051}
run=$(date +%s)-$$
store=walk-redirects-$run
function=walk-redirect-$run

# ask SERVICE/METHOD: sends standard input, in JSON; `answer` is what comes back. member NAME: a value in it.
send() { grpcurl -plaintext -d @ "$target" "cloudfront_facade.v1.$1"; }
ask() { answer=$(send "$1"); }
member() { printf '%s\n' "$answer" | sed -n "s/^ *\"$1\": \"\(.*\)\",\{0,1\}$/\1/p" | tail -n 1 | sed 's/\\"/"/g'; }
in_base64() { base64 | tr -d '\n'; }
say() { printf '%s\n' "-- $*"; }

# remove NAME READ DELETE: deletes what has the name, if READ finds it; says so where it may be left.
remove() {
  if answer=$(echo "{\"name\": \"$1\"}" | send "$2" 2>&1); then
    answer=$(echo "{\"name\": \"$1\", \"etag\": \"$(member etag)\"}" | send "$3" 2>&1) && return
  fi
  case $answer in *"Code: NotFound"*) ;; *) say "$1 may be left behind: $answer" >&2 ;; esac
}
# The function first, for it uses the store; and the store when it is READY.
clean_up() {
  code=$?
  trap - EXIT HUP INT TERM
  remove "$function" FunctionService/DescribeFunction FunctionService/DeleteFunction
  remove "$store" KeyValueStoreService/WaitForKeyValueStore KeyValueStoreService/DeleteKeyValueStore
  exit "$code"
}

# Where nobody answers, there is nothing to clean up.
grpcurl -plaintext "$target" list >/dev/null
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

say "a store, PROVISIONING at first"
ask KeyValueStoreService/CreateKeyValueStore <<JSON
{"name": "$store", "comment": "old paths", "tags": [{"key": "team", "value": "web"}]}
JSON
store_arn=$(member arn)
ask KeyValueStoreService/WaitForKeyValueStore <<JSON
{"name": "$store"}
JSON
ask KeyValueStoreService/ListKeyValueStores <<JSON
{"status": "READY"}
JSON
ask KeyValueStoreService/DescribeKeyValueStore <<JSON
{"name": "$store"}
JSON
ask KeyValueStoreService/UpdateKeyValueStore <<JSON
{"name": "$store", "comment": "old paths and where they went", "etag": "$(member etag)"}
JSON
store_etag=$(member etag)

say "its content: one key, then several changes at once in their order, then any number of them as a stream"
ask KeyValueStoreDataService/PutKey <<JSON
{"kvs_arn": "$store_arn", "key": "/old", "value": "/wrong"}
JSON
ask KeyValueStoreDataService/UpdateKeys <<JSON
{"kvs_arn": "$store_arn", "changes": [
  {"put": {"key": "/old", "value": "/new"}}, {"put": {"key": "/gone", "value": "/"}}, {"delete": "/gone"}]}
JSON
ask KeyValueStoreDataService/ImportKeys <<JSON
{"kvs_arn": "$store_arn", "changes": [{"put": {"key": "/a", "value": "/b"}}]}
{"changes": [{"put": {"key": "/c", "value": "/d"}}]}
JSON
ask KeyValueStoreDataService/DeleteKey <<JSON
{"kvs_arn": "$store_arn", "key": "/c"}
JSON
ask KeyValueStoreDataService/GetKey <<JSON
{"kvs_arn": "$store_arn", "key": "/old"}
JSON
member value
ask KeyValueStoreDataService/ListKeys <<JSON
{"kvs_arn": "$store_arn", "page_size": 50}
JSON
ask KeyValueStoreDataService/DescribeKeyValueStoreData <<JSON
{"kvs_arn": "$store_arn"}
JSON
echo "$answer"

say "a function that reads the store"
ask FunctionService/CreateFunction <<JSON
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

say "a test with an event; it travels in base64, as code does"
event='{"version": "1.0", "context": {"eventType": "viewer-request"}, "viewer": {"ip": "198.51.100.1"},
  "request": {"method": "GET", "uri": "/old", "querystring": {}, "headers": {}, "cookies": {}}}'
ask FunctionService/TestFunction <<JSON
{"name": "$function", "etag": "$etag", "event_object": "$(printf %s "$event" | in_base64)"}
JSON
member function_output

say "publish it, so that distributions can use it"
ask FunctionService/PublishFunction <<JSON
{"name": "$function", "etag": "$etag"}
JSON
member stage

say "update it: configuration and code of DEVELOPMENT are replaced whole, LIVE stays as it is"
ask FunctionService/UpdateFunction <<JSON
{
  "name": "$function",
  "etag": "$etag",
  "function_config": {"comment": "no store any more", "runtime": "FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0"},
  "function_code": "$(in_base64 < examples/functions/url-rewrite-index.js)"
}
JSON
etag=$(member etag)
ask FunctionService/GetFunction <<JSON
{"name": "$function", "stage": "FUNCTION_STAGE_LIVE"}
JSON
ask FunctionService/ListFunctions <<JSON
{"page_size": 100}
JSON
ask FunctionService/DescribeFunction <<JSON
{"name": "$function"}
JSON
member comment

say "tag it"
ask TagService/TagResource <<JSON
{"resource": "$function_arn", "tags": [{"key": "stage", "value": "beta"}]}
JSON
ask TagService/UntagResource <<JSON
{"resource": "$function_arn", "tag_keys": ["team"]}
JSON
ask TagService/ListTagsForResource <<JSON
{"resource": "$function_arn"}
JSON
echo "$answer"

say "the store cannot be deleted: LIVE reads it"
refusal=$(echo "{\"name\": \"$store\", \"etag\": \"$store_etag\"}" | send KeyValueStoreService/DeleteKeyValueStore 2>&1) || true
case $refusal in
*KEY_VALUE_STORE_IN_USE*) ;;
*)
  say "this is no KEY_VALUE_STORE_IN_USE: $refusal" >&2
  exit 1
  ;;
esac

say "delete both"
ask FunctionService/DeleteFunction <<JSON
{"name": "$function", "etag": "$etag"}
JSON
ask KeyValueStoreService/DeleteKeyValueStore <<JSON
{"name": "$store", "etag": "$store_etag"}
JSON
trap - EXIT
say "done"
