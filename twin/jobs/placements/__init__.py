"""Which whole servers a job of several gets: one file a policy, `choose(free, count, groups) -> servers`."""

from twin.jobs.placements import first_fit, pack, spread
from twin.jobs.servers import Layout

PLACEMENTS: dict[str, Layout] = {"first_fit": first_fit.choose, "pack": pack.choose, "spread": spread.choose}
