"""The company's tag policy: an effective tag policy of AWS Organizations, checked before AWS is asked.

`json_text` reads JSON with positions, `document` reads a policy, `rules` checks the tags of a request, `file` and
`organizations` are where a policy comes from.
"""
