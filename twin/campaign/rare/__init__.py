"""Rare events in campaigns: proposals tuned by a pilot, weighted rows in the same store, estimates that may refuse.

`settings`, `pilot` and `hits` simulate; `columns`, `estimate` and `result` only read numbers.
"""
