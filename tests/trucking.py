"""Small worlds with trucks: a depot and halls on one clock, roads without chance, stories by item name."""

from typing import Any

from simulation import HALL, Story, merged, simulator

TRUCK: dict[str, Any] = {
    "home": "depot", "rated_kw": 500.0, "rated_kwh": 1000.0, "soc_min_fraction": 0.0, "soc_max_fraction": 1.0,
    "efficiency_one_way": 1.0, "auxiliary_kw": 0.0, "breakdowns_per_1000_km": 0.0,
}  # fmt: skip
"""1,000 kWh, 500 kW, lossless: 300 kW last 3 h 20 min."""

POINT: dict[str, Any] = {"limit_kw": 1000.0, "berths": 2, "connect_min": 30.0, "disconnect_min": 10.0}
"""At a hall that is dark a truck carries 30 minutes after its arrival."""

DEPOT: dict[str, Any] = merged(HALL["sites"]["hall"], {"cluster": {"core": {"load_kw": 1.0}}})


def fleet(
    *halls: str,
    policy: Any = "nearest_first",
    sites: dict[str, Any] | None = None,
    trucks: dict[str, Any] | None = None,
    jobs: dict[str, Any] | None = None,
    **top: Any,
) -> dict[str, Any]:
    """A depot and halls 40 km from it, at 40 km/h; one truck at the depot; no crew delay, no detection delay."""
    names = halls or ("hall",)
    data: dict[str, Any] = {
        "name": "fleet",
        "horizon": {"start": "2026-01-01", "hours": 48.0},
        "sites": {"depot": merged(DEPOT, {"connection_points": {"yard": POINT}})},
        "trucks": {"one": TRUCK},
        "roads": {"distances_km": {"depot": dict.fromkeys(names, 40.0)}, "speed_kmh": 40.0},
        "fleet": {
            "policy": policy, "detection_min": 0.0, "crew": {"response_min": 0.0, "night_response_min": 0.0},
        },
        "jobs": jobs or {},
    }  # fmt: skip
    for name in names:
        data["sites"][name] = merged(HALL["sites"]["hall"], {"connection_points": {"plug": POINT}})
    data = merged(data, {"sites": sites or {}})
    if trucks is not None:
        data["trucks"] = {name: merged(TRUCK, change) for name, change in trucks.items()}
    for key, value in top.items():
        data[key] = merged(data.get(key), value)
    return data


def play_fleet(data: dict[str, Any], *extra: Any, replication: int = 0, level: str = "units") -> "FleetStory":
    """One replication as a story."""
    return FleetStory(simulator(data, *extra).run(replication, level))


class FleetStory(Story):
    """A story over several sites: items by their full names."""

    def _id(self, item: str) -> int:
        return self.trace.items["name"].index(item)

    def causes(self, row: int) -> list[str]:
        """The chain that ends with event `row`, root first."""
        events, links = self.trace.events, []
        while row >= 0:
            name = self.trace.items["name"][events["item"][row]]
            links.append(f"{name} {self.whats[events['what'][row]]} {events['value'][row]}")
            row = int(events["cause"][row])
        return links[::-1]

    def truck_kwh(self, name: str, tick: int) -> float:
        """What a truck holds at a tick, wherever it is."""
        return float(self.trace.stored_kwh(None, f"trucks/{name}", tick / 3.6e9))

    def table(self, name: str) -> list[dict[str, Any]]:
        """Rows of a table of the trace."""
        table = getattr(self.trace, name)
        return [dict(zip(table, row, strict=True)) for row in zip(*(table[key].tolist() for key in table), strict=True)]

    def at_site(self, site: str, name: str, tick: int) -> float:
        """A site power [kW] that holds from a tick."""
        self.site = site
        return self.power(name, tick)
