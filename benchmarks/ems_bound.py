"""The least bill that any battery schedule could have had, knowing the whole year: one linear programme, by HiGHS."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from ems_case import Case, bill, floor_kwh
from scipy.optimize import linprog


def least_bill(case: Case, end_kwh: float) -> float:
    """The bound.

    Unknowns: import g, unused x, taken c, given d, stored s at each step's end, peak of each month; with a contract
    also what each month exceeds its band by, and the contracted demand.

    Args:
        case: as `ems_case.read` gives it.
        end_kwh: stored energy at the end, as the trace compared with leaves it.
    """
    n, dt = len(case["load_kw"]), case["step_h"]
    _, month = np.unique(case["month"], return_inverse=True)
    months = int(month.max()) + 1
    contracted = case["demand_mode"] == "contract"
    size = 5 * n + months + (months + 1 if contracted else 0)
    g, x, c, d, s = (slice(k * n, (k + 1) * n) for k in range(5))
    peak = slice(5 * n, 5 * n + months)
    cost, low, high = np.zeros(size), np.zeros(size), np.full(size, np.inf)
    cost[g], cost[d] = case["price"] * dt, case["deg_cost"] * dt
    if case["allow_export"]:
        cost[x] = -case["export_price"] * dt
    else:
        high[x] = case["pv_kw"]
    high[g] = case["grid_limit_kw"]
    high[c] = case["ch_kw"] if case["allow_grid_charge"] else np.minimum(case["ch_kw"], case["pv_kw"])
    high[d] = case["dis_kw"] if case["allow_export"] else np.minimum(case["dis_kw"], case["load_kw"])
    low[s], high[s] = floor_kwh(case), case["soc_max"] * case["batt_kwh"]
    low[s.stop - 1] = high[s.stop - 1] = end_kwh
    one, none = sp.eye(n), sp.csr_matrix((n, n))
    rest = sp.csr_matrix((n, size - 5 * n))
    kept = 1.0 - case["self_dis_per_h"] * dt
    store = one - kept * sp.eye(n, k=-1)
    equal = sp.vstack([
        sp.hstack([one, -one, -one, one, none, rest]),
        sp.hstack([none, none, -case["eta_ch"] * dt * one, dt / case["eta_dis"] * one, store, rest]),
    ])  # fmt: skip
    begin = np.zeros(n)
    begin[0] = kept * case["soc_init"] * case["batt_kwh"]
    of_month = sp.csr_matrix((np.ones(n), (np.arange(n), month)), shape=(n, months))
    under = [sp.hstack([one, sp.csr_matrix((n, 4 * n)), -of_month, sp.csr_matrix((n, size - 5 * n - months))])]
    if contracted:
        cost[-months - 1 : -1], cost[-1] = 2.0 * case["demand_charge"], months * case["demand_charge"]
        low[-1] = 0.4 * case["transformer_kva"]
        if case["contract_kw"] >= 0.0:
            low[-1] = high[-1] = case["contract_kw"]
        band = sp.csr_matrix(np.full((months, 1), -1.05))
        under.append(sp.hstack([sp.csr_matrix((months, 5 * n)), sp.eye(months), -sp.eye(months), band]))
    elif case["demand_mode"] == "actual":
        cost[peak] = case["demand_charge"]
    matrix = sp.csr_matrix(sp.vstack(under))
    found = linprog(
        cost, matrix, np.zeros(matrix.shape[0]), sp.csr_matrix(equal),
        np.concatenate([case["load_kw"] - case["pv_kw"], begin]), np.stack([low, high], axis=1), method="highs-ipm",
    )  # fmt: skip
    if found.status:
        raise SystemExit(f"the linear programme has no solution: {found.message}")
    return bill(case, np.maximum(found.x[g], 0.0), found.x[d], found.x[x])
