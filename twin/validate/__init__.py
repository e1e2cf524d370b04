"""`twin validate`: the simulator beside closed forms and published indices. A case is one entry in a `cases_*.py`."""
