"""Measures the facade beside its parts and beside other servers: `make bench`.

`sides/` has the servers that are compared, each a program of its own; `upstream.py` is nginx in CloudFront's place.
`process.py` starts and pins processes and reads their CPU time; `load.py` calls them. `creates.py`, `crowd.py`,
`starts.py` and `embedded.py` measure; `figures.py` turns measurements into ratios and verdicts; `report.py`, `plots.py`
and `machine.py` tell them.
"""
