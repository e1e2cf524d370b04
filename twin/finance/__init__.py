"""Money and carbon of a trace: functions of its ledger, its events and the scenario that it carries."""

from twin.finance.bill import Bill, Line, bill
from twin.finance.carbon import Emissions, carbon

__all__ = ["Bill", "Emissions", "Line", "bill", "carbon"]
