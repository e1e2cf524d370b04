"""The plant's blocks: which integer names which row of `fact[FIELD, i]` and `quantity[FIELD, i]`.

Units, feeds and loads have rows of their own in the two blocks; i counts units in the rows of units, and so on (the
`clock` knows how many there are). Few blocks keep a kernel call cheap: every array costs a tenth of a microsecond.
Facts (int64) are written by Python, at the parts' changes and in a reaction's phases, and by the protection kernel,
which is such a phase; quantities (float64) by kernels only, but for the rows of ratings, which are filled at build.
"""

from __future__ import annotations

# ---- unit: one storage unit (a cabinet, a UPS battery, a truck at its berth; an empty berth is a unit that is not up)
U_UP, U_FEED, U_EMPTY = range(3)  # facts: sound; feed that it serves; found empty while carrying load
ENERGY_KWH, ANCHOR_KWH, POWER_KW, RATE_KW, CHARGED_KWH, DISCHARGED_KWH = range(6)
U_RATED_KW, U_RATED_KWH, U_MIN_KWH, U_MAX_KWH, U_EFFICIENCY, U_AUXILIARY_KW, U_RECHARGE_KW = range(6, 13)  # ratings

# ---- feed: one electrical path from the bus sections to its load points, with or without storage on it
F_SECTIONS, F_KIND, F_UP, F_BYPASS, F_STATE, F_GENSET, F_ON_GENSET, F_FIRST, F_COUNT = range(3, 12)
F_ATTEMPT, F_VERSION, F_LOST_US = 12, 13, 14  # draws this event; changes of its units; tick at which the input went
RAW, IN_LINE, PARALLEL, FOLLOWING = range(4)  # F_KIND
DEAD, ON_SECTION, ON_STORAGE, ON_HOLD_UP = range(4)  # F_STATE
F_DEMAND_KW, F_INPUT_KW, F_NEED_KW, F_SHARED_KW, F_SHARED_VERSION = range(13, 18)
F_LOSS_FRACTION, F_LIMIT_KW, F_TRANSFER_LAW, F_TRANSFER_A, F_TRANSFER_B, F_FAIL_PROBABILITY = range(18, 24)  # ratings

# ---- load: one load point
L_KIND, L_LIT, L_TRIPPED, L_CAPPED, L_BUSY_GPUS, L_BOOTING, L_RUNNING, L_SHED = range(15, 23)
F_LINKS = 23  # how many loads hang on the feed
CORE, PUMPS, CHILLERS, ROW, HOUSE = range(5)  # L_KIND; also the order in which short supply is shared out
L_DEMAND_KW, L_POTENTIAL_KW, L_FULL_KW, L_BEFORE_KW, L_HOLD_UP_US = range(24, 29)
L_FIXED_KW, L_PER_GPU_KW, L_PER_GPU_CAPPED_KW, L_PER_BOOT_KW, L_FULL_GPUS = range(29, 34)  # ratings
L_RATED_HOLD_UP_US, L_MAX_HOLD_UP_US, L_WAY_R, L_WAY_X = range(34, 38)
F_WAY_LOSS_KW = 38  # lost between the feed's storage and its loads, if storage carried them now
F_OWN_KW = 39  # own use and recharge of its storage, for each link
F_AUXILIARY_KW, F_AUXILIARY_VERSION = 40, 41  # own use of its sound units, as of this version

# ---- connection point: a feed whose units are berths; it carries other feeds whose section supply is away
POINT = 4  # F_KIND
F_POINT, F_ON_POINT = 24, 25  # of a feed: the point that may carry it, and the one that does; place + 1, 0 none
F_READY_US, F_AWAY_US, F_EVENT = range(26, 29)  # may take to its point from; cut off from the sections until; by event
F_SYNCHRONISED, F_CHANGEOVER_US = 29, 30  # of a point
U_USE, U_FUELLED = 31, 32  # of a unit at a berth: what it does beside the grid; a generator, whose content never ends
BUFFERS, TRADES, FOLLOWS = 1, 2, 4  # U_USE, added up: keeps import under its limit; follows the price, or the plan
F_SWITCH = 33  # the feed's static switch is sound
# ---- load, continued: its cords, its static transfer switch, a board that is cut off
L_SOURCE = 34  # behind a static transfer switch: the feed that it hangs on, plus 1; 0: no switch
L_STUCK, L_MOVES, L_CUT, L_NEEDED = range(35, 39)  # why the switch does not move; draws; causes; live feeds it needs
F_START_US = 39  # from then on storage on a dead feed may light its loads again; 0: not
FACTS = 40
U_RESERVE_KWH, U_LOW_PRICE, U_HIGH_PRICE = range(
    42, 45
)  # set on arrival: never below by trade; charge at; discharge at
U_FLOOR_KWH, U_CEILING_KWH = 45, 46  # bounds of the stored energy as things stand
F_PV_KW = 47  # what PV wired to the feed's storage gives to its loads while that storage carries them
U_LOW_KWH, U_LOW_SHARE, U_HIGH_KWH, U_HIGH_SHARE = range(48, 52)  # below, above: only this share of kW; 0 for no limit
U_SALE_KW = 52  # what it sells by plan in the slot at hand
L_PER_GPU_SWING_KW = 53  # how far a busy GPU's power falls in an evaluation dip
F_FAIL_COMMON = 54  # probability that its switch fails to pick up together with all others of its group
L_FED_SHARE = 55  # live feeds over cords
L_SWITCH_LAW, L_SWITCH_A, L_SWITCH_B, L_SWITCH_FAIL = range(56, 60)  # ratings
U_GIVES_KWH, U_TAKES_KWH, U_ROOM_KWH = range(
    60, 63
)  # above reserve, below the plan's level, below full: shares by plan
QUANTITIES = 63

# ---- ageing: rows of units after all others, there only where cells age (`clock[AGEING]`); a unit's column holds all
# that its cells have been through, so it can travel with it. U_NEW_KWH is 0 for a unit that does not age.
U_NEW_KWH, U_NEW_KW, U_NEW_RECHARGE_KW, U_CELLS_KW, U_SOC_MIN, U_SOC_MAX, U_END_OF_LIFE = range(
    QUANTITIES, QUANTITIES + 7
)  # as delivered; what the cells could give; window; health at which they are replaced
U_FADE_PER_H, U_GROWTH_PER_H = (
    QUANTITIES + 7,
    QUANTITIES + 8,
)  # squared fade, growth of resistance, at their temperature
U_CALENDAR_SQUARE, U_CYCLE_SQUARE, U_RESISTANCE, U_FULL_CYCLES, U_HEALTH, U_REPLACEMENTS = range(
    QUANTITIES + 9, QUANTITIES + 15
)
U_DIRECTION, U_LEG_H, U_TURNS = range(QUANTITIES + 15, QUANTITIES + 18)  # of rainflow: way, hours of this leg, points
TURNS_MAX = 32
U_TURN_KWH = QUANTITIES + 18  # first of the turning points' levels, then the hours of the legs to them
U_TURN_H = U_TURN_KWH + TURNS_MAX
AGEING_QUANTITIES = U_TURN_H + TURNS_MAX

LINK_LOAD, LINK_FEED = range(2)  # link: int64 [2, links], sorted by load; a dual-corded load has several

# ---- section: bus sections of the site, facts
S_GRID, S_BREAK_UNTIL_US, S_EVENT = range(3)
SECTION_FACTS = 3

# ---- clock: int64 ticks and counts, written by kernels
NOW_US, ANCHOR_US, BOUND_US, EDGE, ACTIVE, TAPE_POINTS, TAPE_ROWS, HEAT_ANCHOR_US = range(8)
UNITS, FEEDS, LOADS = range(8, 11)  # how many there are; set at build
DRAWS = 11  # links and points whose draw is recorded for the power flow; 0 where the site has no network
SUPPLY_STATE = 12  # a fact: how each section is fed, two bits each; written by the grid
IDLE = 13  # no unit gives, takes or waits for room to take: until a fact flips, an edge moves no unit
POINTS = 14  # how many connection points there are
PV = 15  # whether the site has PV
AGEING = 16  # whether cells age: the block of quantities then has their rows
# Of the plan: how many slots, the one at hand, when it ends, how long one is. Written by the policy's phase, which
# may: it runs with the plant settled; then by `advance`.
PLAN_SLOTS, PLAN_SLOT, PLAN_EDGE_US, PLAN_SLOT_US = range(17, 21)
FUEL_ANCHOR_US = 21  # since when the gensets' tank falls at its rate
RAMP_US, RAMP_EDGE_US, RAMP_FREE_US = range(22, 25)  # of the ramp: its anchor, its slot's end, the supply's return
MOVED = 25  # since the powers were last set a unit, its feed or the plan has changed, or a level has met a bound
# The plan's slots that begin before PLAN_QUIET_US change no power unless a fact does; the first bound of a level.
PLAN_QUIET_US, LEVEL_US = 26, 27
CLOCK_FIELDS = 28

# ---- site: float64. The first ones are powers, and row k of the ledger is the integral of row k.
(
    IMPORT_KW,
    GENSET_KW,
    IT_KW,
    COOLING_KW,
    HOUSE_KW,
    LOSS_KW,
    AUXILIARY_KW,
    CHARGE_KW,
    DISCHARGE_KW,
    UNSERVED_KW,
    HOLD_UP_KW,
    CLAMPED_KW,
    STORAGE_LOSS_KW,
    NETWORK_LOSS_KW,
) = range(14)
POWERS = 14
QUARTER_KWH, HEAT, HEAT_ANCHOR, HEAT_RATE = range(14, 18)  # heat: 0 cold, 1 the rows trip; rate per hour
RECHARGE_LIMIT_KW, IMPORT_LIMIT_KW, RIDE_THROUGH_H, TANK_H, IT_FULL_KW, CONTINUOUS_KW = range(18, 24)  # ratings
TAN_PHI, LOSS_FIXED_KW, LOSS_PER_KW2 = range(24, 27)  # of the network: loads' kvar over kW, the estimate of its losses
GENSET_READY_KW = 27  # a fact that is kW: sets on line, written by the genset plant
PEAK_TARGET_KW, IMPORT_FLOOR_KW = 28, 29  # plugged trucks keep import below; discharge leaves it at least
# PV: what it could give, now; what it gives, what is curtailed, what is exported, and what it gives to the sections.
PV_AVAILABLE_KW, PV_KW, CURTAILED_KW, EXPORT_KW, PV_GRID_KW = range(30, 35)
EXPORT_LIMIT_KW, PV_UNIT_SHARE = 35, 36  # allowed export; share of PV wired to each unit that can form an island
# The gensets' tank, there only where they have one: FUEL_PER_KWH_L is 0 without. No-load burn is a fact of the plant.
FUEL_L, FUEL_ANCHOR_L, FUEL_RATE_L_PER_H, FUEL_PER_KWH_L, FUEL_NO_LOAD_L_PER_H = range(37, 42)
# The ramp: its limit per minute, 0 for none; exchange on it at its anchor, where it goes to, mean of the slot at hand,
# least that PV leaves. Then what the ledger integrates: storage's part in it; 1 while exchange leaves the ramp, while
# training swings by more than the limit, while cabinets cannot take these swings.
RAMP_LIMIT_KW, RAMP_KW, RAMP_END_KW, RAMP_MEAN_KW, RAMP_LEAST_KW = range(42, 47)
RAMP_STORAGE_KW, RAMP_EXCEEDED, SWINGS, SWINGS_EXCEEDED = range(47, 51)
SITE_QUANTITIES = 51
# The plan, there only where storage follows one: net load now, of the slot at hand; the month's peak, now and as the
# slot began; what is drawn beside planned storage, what that may take, what other storage takes; what all sell in the
# slot at hand. As powers were last set: the threshold up to which storage charges, whether any would, the least share
# of its window that a unit on the grid stores, the largest of any. Then its rows, `PLAN_MOST` slots each; the last
# holds what the slots have turned out to be.
NET_KW, SLOT_NET_KWH, MONTH_PEAK_KW, PAID_KW, BESIDE_KW, ROOM_KW, UNPLANNED_KW, SALES_KW = range(
    SITE_QUANTITIES, SITE_QUANTITIES + 8
)
UP_SET, ANY_CHARGE, LEAST_SHARE, MOST_SHARE = range(SITE_QUANTITIES + 8, SITE_QUANTITIES + 12)
PLAN, PLAN_MOST = SITE_QUANTITIES + 12, 48
P_UP, P_DOWN, P_CAP_KW, P_CALL_KW, P_RESERVE, P_SEEN_KW = range(6)
PLAN_QUANTITIES = 12 + 6 * PLAN_MOST

LEDGER_PEAK_KW, LEDGER_STORED_KWH = POWERS, POWERS + 1  # largest 15-minute mean import; stored at the month's end
LEDGER_ESTIMATE_KWH, LEDGER_UNDERVOLTAGE_H, LEDGER_OVERLOAD_H, LEDGER_UNSOLVED_H, LEDGER_MIN_VOLTAGE_PU = range(
    POWERS + 2, POWERS + 7
)
LEDGER_TRUCK_IN_KWH, LEDGER_TRUCK_OUT_KWH = POWERS + 7, POWERS + 8  # stored energy that trucks brought, took away
LEDGER_ENERGY_COST, LEDGER_PERIOD_KWH = POWERS + 9, POWERS + 10  # import at its price; the first of five, by period
LEDGER_PV_KWH, LEDGER_CURTAILED_KWH, LEDGER_EXPORT_KWH = range(POWERS + 15, POWERS + 18)
LEDGER_RAMP_KWH, LEDGER_RAMP_EXCEEDED_H, LEDGER_SWING_H, LEDGER_SWING_EXCEEDED_H = range(POWERS + 18, POWERS + 22)
LEDGER_PV_VALUE, LEDGER_CHARGE_COST = POWERS + 22, POWERS + 23  # used PV and charging at the price of their instant
LEDGER_ROWS = POWERS + 24
LEDGER_NAMES = (
    "import_kwh",
    "genset_kwh",
    "it_kwh",
    "cooling_kwh",
    "house_kwh",
    "loss_kwh",
    "auxiliary_kwh",
    "charge_kwh",
    "discharge_kwh",
    "unserved_kwh",
    "hold_up_kwh",
    "clamped_kwh",
    "storage_loss_kwh",
    "network_loss_kwh",
    "peak_import_kw",
    "stored_end_kwh",
    "network_loss_estimate_kwh",
    "undervoltage_h",
    "overload_h",
    "unsolved_flow_h",
    "min_voltage_pu",
    "truck_in_kwh",
    "truck_out_kwh",
    "energy_cost",
    "import_sharp_kwh",
    "import_peak_kwh",
    "import_flat_kwh",
    "import_valley_kwh",
    "import_deep_kwh",
    "pv_kwh",
    "curtailed_kwh",
    "export_kwh",
    "ramp_storage_kwh",
    "ramp_exceeded_h",
    "swing_h",
    "swing_exceeded_h",
    "pv_value",
    "charge_cost",
)
SERIES_NAMES = (
    "import_kw",
    "genset_kw",
    "it_kw",
    "cooling_kw",
    "house_kw",
    "loss_kw",
    "auxiliary_kw",
    "charge_kw",
    "discharge_kw",
    "unserved_kw",
    "hold_up_kw",
    "stored_kwh",
    "pv_kw",
    "curtailed_kw",
    "export_kw",
)
R_STORED, R_PV, R_CURTAILED, R_EXPORT = range(11, 15)
FLOW_SERIES_NAMES = ("network_loss_kw", "min_voltage_pu", "overloaded_branches")
R_NETWORK_LOSS, R_STATE, R_PERIOD, R_PRICE, R_DRAWS = range(len(SERIES_NAMES), len(SERIES_NAMES) + 5)
"""A recorded row: the site's powers and what it stores; with a network also losses on storage, supply state, tariff
period and price (so that each span lies in one of them), then the draw of each link;
last, where the site has PV, what that gives to the sections, negative."""
DEAD_SECTION, OWN_FEEDER, THROUGH_TIE = range(3)
SECTION_BITS = 2
GENSETS_FEED = 1 << 2 * SECTION_BITS
FAULT_STATE = GENSETS_FEED << 1
"""A supply state has two bits for how each section is fed, and one where gensets feed those without grid; above them
the number of a state of faults and ties in the network, 0 when it is sound."""

# ---- edge: float64 [fields, edges]; column j holds from edge_us[j]
E_MONTH, E_COOLING_FRACTION, E_HOUSE_FRACTION, E_UTILISATION_FRACTION, E_PRICE_PER_KWH, E_PERIOD, E_PV_KW = range(7)
E_NEXT = 7  # the next column in which anything but price and period differs: up to it no power changes
SHARP, PEAK, FLAT, VALLEY, DEEP = range(5)  # E_PERIOD, as in `tariff_terms`; all is flat where there is no tariff

QUARTER_US = 900_000_000
TOUCH = 1.5
"""A level within this many ticks' worth of its rate has met its bound: crossings are rounded down to a tick."""
