"""A discrete-event digital twin for the power supply of large GPU training clusters."""
