"""The gRPC server: everything between the socket and the servicers.

`listener`        addresses, TLS and gRPC's own limits
`server`          starts and stops the server, with health and reflection
`dispatcher`      runs servicer methods under a deadline, and sends their responses and errors
`call_limits`     limits of concurrency and of deadlines
`request_stream`  passes the requests of a client stream to a servicer method
`catch_all`       handles everything that never reaches a servicer
`access_log`      writes one line for each rpc
`reflection`      serves the descriptor set
`status`          converts exceptions to statuses
"""
