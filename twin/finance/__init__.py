"""Money and carbon: of a trace, functions of its ledger and events; of yearly flows, what they are worth."""

from twin.finance.bill import Bill, Line, bill
from twin.finance.carbon import Emissions, carbon
from twin.finance.project import Loan, break_even, deferral_value, depreciation, income_tax, lcos, loan
from twin.finance.returns import ReturnWarning, discounted_payback, irr, irr_roots, mirr, npv, payback

__all__ = [
    "Bill",
    "Emissions",
    "Line",
    "Loan",
    "ReturnWarning",
    "bill",
    "break_even",
    "carbon",
    "deferral_value",
    "depreciation",
    "discounted_payback",
    "income_tax",
    "irr",
    "irr_roots",
    "lcos",
    "loan",
    "mirr",
    "npv",
    "payback",
]
