"""Calls CloudFront for the rpcs and finds out what happened.

`client`               the one place that sends, settles and records the outcome; everything else here uses it
`concurrency_limiter`  limits the calls that are upstream at once
`timeouts`             how long settling may take
`operation_target`     what an operation is about
`creates`              the way in for creates: `idempotent_create` with a request_id, `validate_only` without effect
`resource_kinds`       what creates must know of a function and of a store
`request_tag`          the tag that makes a create idempotent
`ownership`            whose resource holds a name
`functions`, `key_value_stores`, `key_values`, `tags`  all other operations
`batches`              splits changes of keys into what one UpdateKeys takes
`wait_for_ready`       waits until a store is READY, with one poll per store
`diagnostics`          reads that explain why CloudFront rejected a call
"""
