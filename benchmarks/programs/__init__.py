"""Programs that the benchmark copies into checkouts of its own."""
