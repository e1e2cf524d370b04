"""Balanced AC power flow in batch: many cases of one network at once, each with its own demand and switches."""

from twin.powerflow.control import HoldVoltage, VoltVar
from twin.powerflow.flows import Flows
from twin.powerflow.network import Network
from twin.powerflow.solver import solve

__all__ = ["Flows", "HoldVoltage", "Network", "VoltVar", "solve"]
