"""Scheduling and checkpointing of training jobs as pure rules: no clock, no files, no power."""
