"""The running simulation: clock, alarms, sites, the record. Parts flip facts here; compiled kernels do the physics."""
