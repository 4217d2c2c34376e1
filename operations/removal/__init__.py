"""`operations teardown`: takes a protected stack down, and proves that nothing is left of it."""
