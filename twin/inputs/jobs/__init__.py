"""Readers of job records, one layout a file, all into one strict schema (`schema.Jobs`)."""
