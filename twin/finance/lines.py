"""The lines of a cash flow: what each counts. Positive is better for the design than for its counterfactual."""

from __future__ import annotations

LINES: dict[str, str] = {
    "capital": "equipment that the design has beyond the counterfactual, at the start",
    "avoided_capital": "equipment that the counterfactual has beyond the design, which is not bought",
    "energy": "grid energy, surcharges and power factor, without what PV saves",
    "pv": "PV used on site at the price of its instant, and export",
    "demand": "demand charges by kW or kVA and month",
    "demand_response": "payments for calls less penalties",
    "fuel": "of gensets",
    "interruption": "GPU-hours lost to supply events, equipment and planned work, at the price of a GPU-hour",
    "hardware": "GPU-hours lost to server failures: jobs that run longer meet more of them, the overlap to subtract",
    "time_to_power": "GPU-hours capped or shed above the import limit, against the same cluster under that limit",
    "unserved": "energy of other loads lost to outages",
    "flexibility": "trucks: lending income less roads, crews and fuel; their time elsewhere is missing here",
    "option": "trucks: gain of choosing their use anew each quarter over the best fixed use, which alone bears it",
    "carbon_scope_1": "CO2 of gensets at its price (Scope 1)",
    "carbon_scope_2": "CO2 of grid energy at its price (Scope 2, by place or by market)",
    "air_quality": "NOx and particulate matter of gensets at their prices",
    "deferral": "yearly charge of the grid expansion, while the counterfactual needs it and the design does not",
    "o_and_m": "operation and maintenance, by capital",
    "replacement": "new cells when simulated ageing replaces them, and equipment at the end of its life",
    "salvage": "what equipment is worth at the horizon",
    "tax": "income tax on the incremental profit, losses carried forward",
    "debt": "loan at the start, repayment and interest",
}
