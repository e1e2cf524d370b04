"""Luck: keyed streams of uniforms, and the laws that turn one uniform into one duration."""
