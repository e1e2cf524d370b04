"""Scenario files: read YAML with positions, merge layers and designs, validate, and say plainly what is wrong."""
