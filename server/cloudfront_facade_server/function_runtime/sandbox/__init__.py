"""What runs in the process of a run, besides the engine: all that looks at what a caller sent or a function returned.

It imports nothing of the rest of the server, and of the standard library only what loads fast: it is loaded anew for
each run. Below it, each knowing only what stands before it:
`tokens`, `syntax`              the language that the runtimes document
`fields`, `event`, `output`     the event structure, in and out
`worker`                        one run, from the request to the answer
"""

RUNTIME_1 = "cloudfront-js-1.0"
RUNTIME_2 = "cloudfront-js-2.0"
