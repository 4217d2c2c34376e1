"""`operations audit`: proves the claims of the stack's audit output against AWS, one call and one value
each.
"""
