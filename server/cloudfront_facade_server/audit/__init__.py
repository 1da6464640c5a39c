"""The audit log: who did what, as JSON lines in OCSF's API Activity.

`records` builds the lines, `facts` reads from boto3's arguments what a change is about, `queue` bounds what waits,
`files` and `standard_output` are where lines go, `writer` is the thread that writes them, `denials` sums up floods,
and `log` is what the server calls.
"""
