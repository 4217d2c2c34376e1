"""Running the real Pulumi engine, and saying what it did."""
