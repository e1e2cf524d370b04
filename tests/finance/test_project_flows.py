"""Tax, debt, depreciation, LCOS and break-evens: a taxed, levered project computed a second time, year by year."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.errors import InputError
from twin.finance import break_even, deferral_value, depreciation, income_tax, irr, lcos, loan, npv


def spreadsheet():
    """A project of 15 years, filled in cell by cell: 2 % fade, cells replaced in year 11, taxed, half of it lent."""
    capital, cells, life, tax_rate = 6_000_000.0, 1_800_000.0, 15, 0.25
    debt = 3_000_000.0
    payment = debt * 0.05 / (1 - 1.05**-10)
    owed, pool, equity = debt, [], [-capital + debt]
    for year in range(1, life + 1):
        age = year - 1 if year <= 11 else year - 12  # new cells at the end of year 11
        saving = 1_100_000.0 * 0.98**age * 1.01 ** (year - 1)
        upkeep = 0.015 * capital
        writing_off = (0.95 * capital / 10 if year <= 10 else 0.0) + (0.95 * cells / 10 if year >= 12 else 0.0)
        interest = 0.05 * owed if year <= 10 else 0.0
        repaid = payment - interest if year <= 10 else 0.0
        owed -= repaid
        profit = saving - upkeep - writing_off - interest
        if profit < 0:
            pool.append([year, -profit])
            tax = 0.0
        else:
            for entry in pool:
                if year - entry[0] <= 5:
                    used = min(entry[1], profit)
                    entry[1] -= used
                    profit -= used
            tax = tax_rate * profit
        equity.append(saving - upkeep - (cells if year == 11 else 0.0) - tax - interest - repaid)
    return equity


def test_a_taxed_levered_project_with_a_replacement_is_that_of_the_spreadsheet():
    years = np.arange(16)
    age = np.where(years <= 11, years - 1, years - 12)
    saving = np.where(years > 0, 1.1e6 * 0.98**age * 1.01 ** (years - 1.0), 0.0)
    upkeep = np.where(years > 0, 0.015 * 6e6, 0.0)
    spent = np.zeros(16)
    spent[0], spent[11] = 6e6, 1.8e6
    borrowed = loan(3e6, 0.05, 10, 16)
    profit = saving - upkeep - depreciation(spent, 10, 0.05) - borrowed.interest
    equity = saving - upkeep - spent - income_tax(profit, 0.25) + borrowed.flows
    expected = spreadsheet()
    np.testing.assert_allclose(equity, expected, rtol=0, atol=1e-6)
    assert npv(0.08, equity) == pytest.approx(sum(x / 1.08**t for t, x in enumerate(expected)), abs=1e-6)
    assert npv(irr(equity), equity) == pytest.approx(0.0, abs=1e-3)


def test_a_loss_lowers_the_tax_of_five_years_and_then_lapses():
    assert income_tax([0.0, -100.0, 30.0, 100.0], 0.25).tolist() == [0.0, 0.0, 0.0, 7.5]
    late = [0.0, -100.0, 0.0, 0.0, 0.0, 0.0, 0.0, 50.0]
    assert income_tax(late, 0.25)[7] == 12.5
    assert income_tax(late, 0.25, loss_years=6)[7] == 0.0


@given(
    st.floats(1.0, 1e7),
    st.floats(0.0, 0.2).map(lambda x: round(x, 4)),
    st.integers(1, 15),
    st.sampled_from(["annuity", "equal_instalments"]),
)
def test_a_loan_is_repaid_and_worth_nothing_at_its_own_rate(principal, rate, years, kind):
    made = loan(principal, rate, years, 16, kind)
    assert made.repaid.sum() == pytest.approx(principal)
    assert npv(rate, made.flows) == pytest.approx(0.0, abs=1e-8 * principal)


def test_lcos_is_the_annuity_over_the_yearly_energy():
    costs, given_kwh = [1000.0, *[20.0] * 10], [0.0, *[500.0] * 10]
    annuity = (1 - 1.08**-10) / 0.08
    alone = (1000 / annuity + 20) / 500
    assert lcos(0.08, costs, given_kwh) == pytest.approx(alone)
    assert lcos(0.08, costs, given_kwh, [0.0, *[150.0] * 10]) == pytest.approx(alone + 0.3)
    with pytest.raises(InputError, match="11, 2 years"):
        lcos(0.08, costs, [0.0, 1.0])
    with pytest.raises(InputError, match="gives no energy"):
        lcos(0.08, [1.0, 1.0], [0.0, 0.0])


def test_at_the_break_even_the_value_is_zero():
    capital, saving = np.array([-1000.0, 0.0, 0.0]), np.array([0.0, 400.0, 500.0])
    factor = break_even(0.08, capital, saving)
    assert npv(0.08, factor * capital + saving) == pytest.approx(0.0, abs=1e-9)
    assert break_even(0.08, np.zeros(3), saving) is None
    with pytest.raises(InputError, match="one a year"):
        break_even(0.08, capital, saving[:2])


def test_deferral_is_what_the_later_payment_saves():
    assert deferral_value(1e6, 0.08, 0.02, 3) == pytest.approx(1e6 - 1e6 * 1.02**3 / 1.08**3)
    assert deferral_value(1e6, 0.08, 0.02, 0) == 0.0


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: loan(1.0, 0.05, 11, 11), "within the 10 years"),
        (lambda: loan(1.0, -1.0, 5, 11), "interest rate of the loan -1"),
        (lambda: depreciation([1.0], 0), "at least 1"),
    ],
)
def test_wrong_terms_are_refused(call, text):
    with pytest.raises(InputError, match=text):
        call()
