"""The parts of a scenario, one file each: the block that the YAML gives, and what it does in a running world."""
