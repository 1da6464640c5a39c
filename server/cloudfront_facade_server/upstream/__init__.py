"""What the rpcs do upstream, creates apart: one operation of CloudFront each, with the reads that explain or settle it.

`upstream`      one call of the backend: admitted, settled where its answer was lost, its failure made a status
`functions`     the operations on functions
`stores`        the operations on key value stores
`watches`       waiting for a store to be READY, one poll for a store however many wait
`key_values`    the data plane: versions, batches
`batches`       changes of keys cut into what one call of CloudFront takes
`turns`         one after the other, for writers of one store
`tags`          the operations on tags
"""
