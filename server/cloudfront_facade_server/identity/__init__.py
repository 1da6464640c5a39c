"""Who calls: the client certificate, else a bearer token, else anonymous.

`authenticator` decides. `certificates` reads gRPC's auth context, `spiffe` SPIFFE ids, `proxies` what a trusted proxy
adds; `issuers` reads the issuers file, `tokens` verifies, `key_sets` fetches and keeps the issuers' keys. `setup` builds
it all from the settings.
"""
