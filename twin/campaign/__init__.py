"""Campaigns: many replications of all designs, on one machine or a cluster, stopped by their interval, nothing lost.

`plan`, `task`, `engines`, `cluster`, `loop` and `run` simulate; `journal`, `rows`, `stop`, `export`, `result` and
`merge` only keep and read numbers.
"""
