"""Mobile storage: trucks, roads between sites, and the policies that relocate them."""
