"""Creates that happen exactly once, though CloudFront has no idempotency token.

`request_tag`   the tag that carries a create's id and the fingerprint of its content
`resources`     what the algorithm must know of a function and of a store
`sightings`     the reads that tell whose a resource of this name is
`attempt`       one create under way, and the looks at what became of it
`exactly_once`  the algorithm
`dry_run`       `validate_only`
`creates`       the way in
"""
