"""Calls CloudFront for the rpcs and finds out what happened.

`client`               the only module that sends, settles and records the outcome; the others use it
`concurrency_limiter`  limits the concurrent calls upstream
`waiting`              waits for a slot or a lock as long as the caller of the rpc waits
`versioned_changes`    updates and deletes of one version; uses `applied_changes`, the latest ones of this process
`timeouts`             the timeouts of settling
`required_member`      the member that proves that a response is CloudFront's
`resource_kinds`       functions and stores: what their operations have in common and what differs
`creates`              all creates; uses `idempotent_create` for a request_id, and `validate_only`
`request_tag`          the tag that makes a create idempotent
`ownership`            whose resource holds a name
`functions`, `key_value_stores`, `key_values`, `tags`  all other operations
`batches`              splits key changes into batches for UpdateKeys
`wait_for_ready`       waits until a store is READY, with one poll per store
`diagnostics`          reads that explain why CloudFront rejected a call
"""
