"""A wrong tariff is one problem with file, line, key and a remedy."""

import pytest

from twin.errors import InputError
from twin.parts.presets import presets
from twin.parts.tariff import TariffSpec
from twin.scenario.load import load

HALL = """name: hall
sites:
  hall:
    cluster:
      rows: 2
      servers_per_row: 10
      gpus_per_server: 8
      server: {rated_kw: 12, training_kw: 10, idle_kw: 2, boot_kw: 3, capped_kw: 7, throughput_at_cap_fraction: 0.8}
      core: {load_kw: 100}
    grid: {feeders: {A: {}}}
    tariff:
"""
ALL_DAY = "[" + ", ".join(["1"] * 24) + "]"
FLAT = "      price_per_kwh: {flat: 0.6}\n"
SEASON = """      price_per_kwh: {flat: 0.6, peak: 1}
      seasons:
        all:
          months: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
          weekday: {DAY}
"""


def day(text):
    return SEASON.replace("DAY", text)


@pytest.mark.parametrize(
    ("entries", "line", "key", "words"),
    [
        ("      preset: jibei_2026_3\n", 12, "preset", "unknown preset 'jibei_2026_3' (did you mean jibei_2026_03?)"),
        ("      preset: xyz\n", 12, "preset", "unknown preset 'xyz' (there are beijing_2026_03, "),
        (
            "      preset: jibei_2026_03\n      demand: {mode: contracted, contract_kw: -5}\n",
            13, "demand.contract_kw", "must be at least 0, is -5",
        ),
        ("      preset: jibei_2026_03\n", 11, "", "transformer_kva is missing"),
        (
            day('peak: "8-12", flat: "11-8"'), 16, "seasons.all.weekday",
            '11:00-12:00 belong to two periods: peak "8-12" and flat "11-8" (shorten one of them)',
        ),
        (
            day('peak: "8-12, 9-10", other_hours: flat'), 16, "seasons.all.weekday",
            '9:00-10:00 belong to two periods: peak "8-12" and peak "9-10" (shorten one of them)',
        ),
        (
            day('peak: "8-12", flat: "13-24"'),
            16, "seasons.all.weekday", "0:00-8:00, 12:00-13:00 belong to no period (list them, or say other_hours",
        ),
        (day("peak: 8-25, other_hours: flat"), 16, "seasons.all.weekday.peak", 'must be hours like "8-12, 13:30-15"'),
        (day("sharp: 8-9, other_hours: flat"), 11, "", "hours in period sharp have no price (add price_per_kwh.sharp)"),
        (day("other_hours: flat").replace("6, 7, ", ""), 13, "seasons", "in no season: month 6, 7"),
        (day("other_hours: flat").replace("12]", "12, 3]"), 13, "seasons", "listed twice: month 3"),
        (FLAT + f"      price_series: {{hourly: {ALL_DAY}}}\n", 11, "", "price_series and periods"),
        (FLAT + '      holidays: ["2026-13-01"]\n', 13, "holidays", "must be dates like 2026-10-01 or 10-01"),
        (FLAT + "      demand: {mode: contracted, price_per_kw_month: 3}\n", 13, "demand", "contract_kw and mode: "),
        (FLAT + "      demand: {mode: capacity, price_per_kw_month: 3}\n", 13, "demand", "needs price_per_kva_month"),
        (FLAT + "      power_factor: {}\n", 11, "", "power_factor.value is missing"),
        (FLAT + "      power_factor: {target: 0.7, value: 1}\n", 13, "power_factor.target", "must be 0.9, 0.85 or 0.8"),
        (FLAT + "      sealed_reserve: true\n", 11, "", "sealed_reserve needs two main transformers"),
        (
            FLAT + "      demand_response: {x: {kw: 1, baseline_kw: 2}}\n",
            13, "demand_response.x", "a programme without calls",
        ),
        (
            FLAT + "      demand_response: {x: {kw: 3, baseline_kw: 2, calls: [{at_h: 1, duration_h: 1}]}}\n",
            13, "demand_response.x", "kw (3) is more than baseline_kw (2)",
        ),
        (FLAT + f"    price_per_kwh: {{hourly: {ALL_DAY}}}\n", 11, "", "give one of the two"),
    ],
)  # fmt: skip
def test_a_wrong_tariff_is_one_problem_with_its_place(tmp_path, entries, line, key, words):
    file = tmp_path / "s.yaml"
    file.write_text(HALL + entries)
    with pytest.raises(InputError) as caught:
        load(file)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == (str(file), line)
    assert problem.key == f"sites.hall.tariff{'.' if key else ''}{key}"
    assert words in problem.message


def test_a_misspelt_carbon_preset_is_suggested_and_a_factor_is_needed(tmp_path):
    file = tmp_path / "s.yaml"
    for carbon, words in (
        ("preset: north_china_202", "did you mean north_china_2022?"),
        ("green_fraction: 1", "give location"),
    ):
        file.write_text(HALL.replace("    tariff:\n", f"    carbon: {{{carbon}}}\n"))
        with pytest.raises(InputError, match=words):
            load(file)


def test_a_preset_s_keys_stand_below_those_given_and_whole_seasons_are_replaced(tmp_path):
    file = tmp_path / "s.yaml"
    own = "      preset: jibei_2026_03\n      transformer_kva: 900\n      demand: {price_per_kw_month: 42}\n"
    file.write_text(HALL + own + "      price_per_kwh: {sharp: 2}\n")
    found = load(file).base.sites["hall"].tariff
    assert (found.price_per_kwh.sharp, found.price_per_kwh.valley) == (2.0, 0.3407)
    assert (found.demand.price_per_kw_month, found.demand.discount.factor) == (42.0, 0.9)
    assert "not official" in found.source.replace("\n", " ")
    file.write_text(HALL + own + day("other_hours: flat").split("\n", 1)[1])
    assert list(load(file).base.sites["hall"].tariff.seasons) == ["all"]


@pytest.mark.parametrize("name", sorted(presets("tariff")))
def test_every_tariff_preset_is_whole_and_says_where_it_is_from(name):
    spec = TariffSpec.model_validate({"preset": name})
    assert "not official" in spec.source
    assert name[-7:].replace("_", "-") == "2026-03"
    assert spec.demand.discount.from_kwh_per_kva_month == 260.0
