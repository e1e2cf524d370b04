"""Readers of measured records: job tables, server power, durations of outages; and generators of samples of them."""
