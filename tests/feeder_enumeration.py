"""A second implementation of radial feeders' reliability: who is dark how long, fault by fault, with no graph."""

from dataclasses import dataclass

from twin.inputs.feeder_record import FeederRecord

HOURS_PER_YEAR = 8760.0


@dataclass(frozen=True)
class Case:
    """What stands in the network."""

    disconnectors: bool = True
    fuses: bool = True
    ties: bool = True
    replaced: bool = False
    fuse_fails: float = 0.0

    def settings(self) -> dict:
        """As keys of the scenario's network."""
        return {
            "disconnectors": self.disconnectors, "fuses": self.fuses, "ties": [[1, 2], [3, 4]] if self.ties else [],
            "transformers": "replaced" if self.replaced else "repaired",
            "fuse_fails_to_operate_probability": self.fuse_fails,
        }  # fmt: skip


CASES = {
    "A": Case(),
    "B": Case(disconnectors=False, fuses=False, ties=False),
    "C": Case(disconnectors=False, ties=False),
    "D": Case(fuses=False),
    "E": Case(replaced=True),
    "F": Case(fuse_fails=0.1),
}


@dataclass(frozen=True)
class Fault:
    """A component, its rate, and who is dark for how many hours: protection working, and with its fuse stuck."""

    name: str
    per_year: float
    down_h: float
    dark_h: dict[int, float]
    dark_if_stuck_h: dict[int, float]


def faults(record: FeederRecord, case: Case) -> list[Fault]:
    """Every component's fault, as if it were the only one."""
    rates = record.rates
    transformer_h = rates["transformer_replace_h" if case.replaced else "transformer_repair_h"]
    width = len(str(max(record.load_points)))
    found = []
    for number, feeder in enumerate(record.feeders, start=1):

        def of_main(fault: int, down_h: float, feeder=feeder) -> dict[int, float]:
            """The breaker trips; `fault`: the main section that stays dead until the repair."""
            dark = {}
            for m, section in enumerate(feeder):
                reached = m < fault or (m > fault and case.ties)
                hours = rates["switching_h"] if case.disconnectors and reached else down_h
                dark |= {lateral.load_point: hours for lateral in section.laterals}
            return dark

        everybody = {lateral.load_point: rates["switching_h"] for section in feeder for lateral in section.laterals}
        for k, section in enumerate(feeder):
            per_year, down_h = rates["line_failure_rate"] * section.length_km, rates["line_repair_h"]
            name = f"feeder-{number}/section-{k + 1}"
            found.append(Fault(name, per_year, down_h, of_main(k, down_h), of_main(k, down_h)))
            for lateral in section.laterals:
                point = f"{lateral.load_point:0{width}d}"
                pieces = [(f"lateral-{point}", rates["line_failure_rate"] * lateral.length_km, down_h)]
                if lateral.transformer:
                    pieces.append((f"transformer-{point}", rates["transformer_failure_rate"], transformer_h))
                for piece, rate, hours in pieces:
                    alone = {lateral.load_point: hours} if case.fuses else of_main(k, hours)
                    stuck = everybody | {lateral.load_point: hours}
                    found.append(Fault(f"feeder-{number}/{piece}", rate, hours, alone, stuck))
    return found


def indices(record: FeederRecord, case: Case) -> dict[str, float]:
    """SAIFI [1/year], SAIDI [h/year] and ENS [kWh/year], one fault at a time."""
    customers = {number: count for number, (_, count) in record.load_points.items()}
    kw = {number: load for number, (load, _) in record.load_points.items()}
    total = sum(customers.values())
    found = {"SAIFI": 0.0, "SAIDI": 0.0, "ENS": 0.0}
    for fault in faults(record, case):
        per_year = fault.per_year / (1.0 + fault.per_year * fault.down_h / HOURS_PER_YEAR)
        for dark_h, share in ((fault.dark_h, 1.0 - case.fuse_fails), (fault.dark_if_stuck_h, case.fuse_fails)):
            for point, hours in dark_h.items():
                found["SAIFI"] += share * per_year * customers[point] / total
                found["SAIDI"] += share * per_year * customers[point] * hours / total
                found["ENS"] += share * per_year * kw[point] * hours
    return found
