"""Malformed requests: raw bytes, mutated messages and sequences of HTTP/2 frames, by a seed.

`messages`  strategies for messages, from the descriptors
`frames`    strategies for HTTP/2 frames
`target`    the server process, and what must hold for every answer
`run`       all of it for a number of seconds; `python -m fuzz` is the command
"""
