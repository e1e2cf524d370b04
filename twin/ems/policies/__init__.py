"""The policies by name; each is one file with one face, `plan(view) -> Plan`."""

from twin.ems.policies.capped import Capped
from twin.ems.policies.default import Default
from twin.ems.policies.naive import Naive
from twin.ems.view import Policy

POLICIES: dict[str, type[Policy]] = {"default": Default, "capped": Capped, "naive": Naive}
