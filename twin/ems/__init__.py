"""Plans for a site's storage: two thresholds of stored energy, an import cap and a reserve per slot."""
