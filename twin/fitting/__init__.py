"""`twin fit`: laws for a user's record of failures, repairs or outages, and the YAML block to paste."""
