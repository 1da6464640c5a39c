"""Who calls: the client certificate, else a bearer token, else anonymous.

`authenticator` decides. `certificates` reads gRPC's auth context, `spiffe` SPIFFE ids, `proxies` what a trusted proxy
adds, `tokens` bearer tokens; `issuers` reads the issuers file, `key_sets` keeps the issuers' keys, and `setup` builds
everything from the settings.
"""
