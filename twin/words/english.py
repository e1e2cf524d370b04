"""English phrases by key. {names} are put in; what stands in [[ ]] is bold."""

ANSWER = {
    "between_sentences": " ",
    "between_names": " or ",
    "between_amounts": " and ",
    "to": "{low} to {high}",
    "year": "{count} year",
    "years": "{count} years",
    "replications": "{count} replications of {years_each} years",
    "one_year": "This is one simulated year; no statement about other years.",
    "one_replication": "This is one replication of {years_each} years; no statement about others.",
    "thousand_gpu_h": "thousand GPU-hours",
    "gpu_h": "GPU-hours",
    "thousand": "{value} thousand",
    "none_seen": "none seen",
    "none": "none",
    "none_in": "in {years} y",
    "interval": " (95 % interval {interval})",
    "alone": "{design} loses [[{value}]] {unit} a year{interval}.",
    "nothing_lost_once": "No loss of GPU-hours was seen.",
    "nothing_lost": (
        "No loss of GPU-hours was seen in {span}: losses begin at most {bound} times a year (95 %, one-sided)."
    ),
    "lost_same_once": "{best} and {other} lost the same compute.",
    "less_once": "{best} lost [[{share} less]] compute than {other}: [[{value}]] {unit} fewer.",
    "less_years": (
        "{best} loses [[{share} less]] compute than {other}: [[{value}]] {unit} a year fewer"
        " (95 % interval {interval}; better in {better} of {n} simulated years)."
    ),
    "less_replications": (
        "{best} loses [[{share} less]] compute than {other}: [[{value}]] {unit} a year fewer"
        " (95 % interval {interval}; better in {better} of {n} replications)."
    ),
    "unresolved": "These {span} do [[not resolve]] a difference in lost GPU-hours between {best} and {other}",
    "unresolved_same": ": they lost the same in every one",
    "unresolved_interval": " (95 % interval {interval} {unit} a year fewer with {best})",
    "unresolved_differ": (
        " (95 % interval {interval} {unit} a year fewer with {best}; they differ in {differ} of {n})"
    ),
    "not_by_simulation": "; not by simulation at this size.",
    "years_would": "; about {span} would.",
    "runner_up": "These {span} do not resolve {best} from {others}.",
    "nothing_worse_once": "No reported metric is worse.",
    "nothing_worse": "No reported metric is resolved to be worse.",
    "drawback": "{best} {worse}: [[+{value}]]{unit}{interval}.",
    "power_and_hardware": "GPU-hours lost a year to power and to hardware: {amounts}.",
    "amounts": "{design} {power} and {hardware}",
    "between_designs": "; ",
    "a_year": "a year",
    "per_year_of": "{unit} a year",
}
PAGE = {
    "title": "twin report",
    "no_question": "Which design?",
    "identity": "scenario {scenario}, {designs} designs x {span}",
    "identity_one": "scenario {scenario}, design {design}, {span}",
    "side_by_side": "Side by side",
    "bad_years": "Bad years",
    "distributions": "How bad can a year be, and how sure is it?",
    "differences": "Same year, two designs",
    "money": "Money",
    "this_year": "One year, replayed",
    "worst_year": "Worst year, replayed",
    "assumptions": "Assumptions and sources",
    "limits": "What this report does not know",
    "light_dark": "light / dark",
    "paired": "paired",
    "not_resolved": "not resolved",
    "always_equal": "always equal",
    "seen_in": "{count} seen in {years} y",
    "at_most": "at most {bound}",
    "always_same": "always the same in {years} y",
    "none_seen_in": "0 seen in {years} y",
    "table_note": (
        "Mean of {span}, 95 % interval below it: Student's t for means, exact Poisson for few events; \"at "
        'most" is the '
        "one-sided 95 % bound for zero events. All designs met the same weather, outages and luck, so "
        "differences are "
        "paired and sharper than the gap between two columns. These intervals are about the simulation; they "
        "do not say "
        "how well the inputs are known."
    ),
    "table_note_one": "One simulated year; no statement about other years, and so no intervals.",
    "table_note_single": (
        "Mean of {span}, 95 % interval below it: Student's t for means, exact Poisson for few events; \"at "
        'most" is the '
        "one-sided 95 % bound for zero events."
    ),
    "exceedance_note": (
        "Share of years that lose more than x to power events. Bands: 95 % for the curve, {span}. Nothing is "
        "drawn past "
        "1 in {n}: that is as far as {span} can see."
    ),
    "exceedance_finding": "Share of years with more than x thousand GPU-hours lost to power",
    "exceedance_x": "lost to power, 1000 GPU-h in a year",
    "paired_note": "Each bar is one simulated year under both designs, n = {n}. Band: 95 % for the mean.{wider}",
    "paired_wider": " Unpaired it would be {ratio} times wider.",
    "paired_finding": "Difference in GPU-hours lost to power between {design} and {reference}, year by year",
    "paired_y": "1000 GPU-h, {design} less {reference}",
    "survival": "Which outages are ridden through",
    "survival_note": (
        "Share of supply interruptions after which no row and no core went dark, by their length, in {span} of each "
        "design; state of charge and heat as they were found. Bands: 95 % (Clopper-Pearson)."
    ),
    "survival_finding": "Share of supply interruptions ridden through against their length",
    "survival_x": "length of the interruption",
    "waterfall": "Where the yearly cost changes",
    "waterfall_note": "{design} less {reference}, money of the bill and of lost compute, {unit}. Whiskers: 95 %.",
    "waterfall_finding": "Yearly cost of {design} less that of {reference}, by line",
    "waterfall_y": "{unit}, {design} less {reference}",
    "net_change": "net change",
    "line_capital": "capital",
    "line_avoided_capital": "avoided capital",
    "line_energy": "energy",
    "line_pv": "PV",
    "line_demand": "demand charge",
    "line_demand_response": "demand response",
    "line_fuel": "fuel",
    "line_interruption": "lost compute",
    "line_hardware": "hardware losses",
    "line_time_to_power": "time to power",
    "line_unserved": "unserved loads",
    "line_flexibility": "trucks elsewhere",
    "line_option": "choice of trucks' use",
    "line_carbon_scope_1": "carbon of gensets (Scope 1)",
    "line_carbon_scope_2": "carbon of the grid (Scope 2)",
    "line_air_quality": "NOx and particles",
    "line_deferral": "deferred expansion",
    "line_o_and_m": "O&M",
    "line_replacement": "replacement",
    "line_salvage": "salvage",
    "line_tax": "tax",
    "line_debt": "debt",
    "million": "million {currency}",
    "thousands": "1000 {currency}",
    "present": "Where the money moves",
    "present_note": (
        "Present cost of each line over {years} simulated years at {rate} %, {design} less {reference}, {unit};"
        " below zero {design} is the cheaper. Whiskers: 95 %."
    ),
    "worth_more_capital": (
        "{design} costs {capital} {unit} more to build than {against}, and is worth more in [[{k} of {n}]] "
        "simulated futures."
    ),
    "worth_less_capital": (
        "{design} costs {capital} {unit} less to build than {against}, and is worth more in [[{k} of {n}]] "
        "simulated futures."
    ),
    "return_dots": "Return: equally likely futures",
    "return_note": (
        "Net present value against {reference}: {dots} equally likely futures, one dot each; hollow dots lose"
        " money. {years} simulated years at {rate} %."
    ),
    "return_finding": "Net present value of each design as equally likely dots",
    "tornado": "What could turn the answer",
    "tornado_note": (
        "One input at a time, low (hollow) and high (filled); this is uncertainty of inputs, which more years"
        " do not shrink."
    ),
    "tornado_finding": "Net present value with each input at its bounds",
    "replay_note": (
        "{design}, replication {replication}: {why}. Pale: full range, line: daily mean when zoomed out; "
        "times are the "
        "site's own. Drag to pan, Ctrl + wheel or + and - to zoom, arrows to move, N and P next and previous "
        "event, 0 all."
    ),
    "worst_of": "the one of {n} with most GPU-hours lost to power",
    "only_one": "the replication in this file",
    "replay_static": "The worst supply interruption, as a drawing; the replay needs scripts.",
    "worst_outage": "Worst outage",
    "whole_year": "Whole year",
    "one_week": "One week",
    "previous_event": "previous event",
    "next_event": "next event",
    "site": "site",
    "replay_name": "replay of one simulated year",
    "events_table": "Events as a table ({shown} of {all})",
    "time": "time",
    "event": "event",
    "lost": "lost GPU-h",
    "began_by": "cause chain",
    "load": "load",
    "grid": "grid",
    "pv": "PV",
    "storage": "storage (+ discharge)",
    "genset": "gensets",
    "outage": "supply away",
    "soc": "state of charge",
    "out": "out of service",
    "units": "units",
    "state_away": "away",
    "state_dark": "dark",
    "state_running": "running",
    "state_battery": "on battery",
    "state_here": "here",
    "state_coming": "coming",
    "state_planned": "planned",
    "state_power": "power",
    "months": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "resolution": "Powers as recorded, to {kw} kW; state of charge as the least of each hour, in whole percent.",
    "input": "input",
    "value": "value",
    "range": "range",
    "source": "source",
    "no_source": "no source given",
    "assumptions_note": (
        "Every input with a source or a range. Ranges do not move the figures above unless a sweep drew them."
    ),
    "no_assumptions": "The scenario names no source and no range.",
    "limit_none_seen": (
        "{metric} under {designs}: none seen in {years} years. This bounds the rate at {bound} a year (95 %);"
        " it does not "
        "show that it cannot happen."
    ),
    "limit_rare": "What happens less than once in {years} years may not have been seen at all.",
    "limit_unresolved": "Not resolved against {reference} by {span}: {metrics}.",
    "limit_ranges": (
        "{count} inputs carry a range that these figures do not draw; their uncertainty is not in any interval."
    ),
    "limit_no_source": "{count} of the inputs listed below have no source beside them.",
    "limit_model": (
        "No electromagnetic or frequency transients, no protection selectivity, no harmonics or unbalance, no"
        " structural "
        "fire model."
    ),
    "foot": "twin {version}, scenario digest {digest}, seed {seed}, {replications} replications from {first}.",
    "command": "Repeat it: {command}",
    "files": "Data files: {files}",
}
PLOT = {
    "plot_every": "every",
    "plot_one_in": "1 in {n}",
    "plot_less": "{design} less: {count} of {n}",
    "plot_more": "{design} more: {count} of {n}",
    "plot_mean": "mean {text}",
    "plot_lose": "{design}: {count} of {n} lose money",
}
PHRASES = ANSWER | PAGE | PLOT
