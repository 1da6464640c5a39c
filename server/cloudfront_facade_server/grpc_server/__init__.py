"""The gRPC server: everything between the socket and the servicers.

`listener`        addresses, TLS and gRPC's own limits
`server`          starts and stops the server, with health and reflection
`dispatcher`      runs servicer methods under a deadline, and sends their responses and errors
`call_limits`     limits of concurrency and of deadlines
`request_stream`  passes the requests of a client stream to a servicer method
`admission`       decides which calls may run
`catch_all`       wraps every handler, and handles everything that never reaches a servicer
`messages`        the messages of a call
`written`         yields the responses that a handler writes
`receiver`        receives messages within limits of time and memory
`receive_places`  limits how many calls wait for a message at the same time
`fair_memory`     limits the memory of requests and open calls
`decoder`         decodes messages within limits of size
`connections`     the limit of connections
`access_log`      writes one line for each rpc
`reflection`      serves the descriptor set
`status`          converts exceptions to statuses
"""
