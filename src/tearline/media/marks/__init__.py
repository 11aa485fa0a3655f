"""Marks in pictures and recordings: which recipient's copy a leaked one is.

`pictures` and `recordings` each do two requests: `Mark` puts a mark into a form that is made, `Detect` scores
all recipients' seeds against what a leak shows. `keyed` draws signs from a seed and bounds the chance of a
score. `pattern` says where in a picture the mark is how strong, `register` lays a leak over the original,
`compare` takes away what both show. All of it runs in the confined process alone (`adapters.sandbox`).
"""
