"""The asyncio edge: everything between the socket and the plain functions that do the work.

`dispatch`     runs servicer methods under a deadline, and answers for them
`last_resort`  answers what never reaches a servicer, and what goes wrong where nothing should
`listener`     addresses, TLS and gRPC's own limits
`server`       the server with health and reflection, from its start to its end
`failures`     from any exception to a status
"""
