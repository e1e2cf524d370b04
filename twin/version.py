"""The version of this package, where code and traces read it."""

VERSION = "0.1.0"
