"""The compiled plant: everything continuous of one site, and the clocks of its like items."""
