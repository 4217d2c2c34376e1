"""Products, the category tree and search."""
