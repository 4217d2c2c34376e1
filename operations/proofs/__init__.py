"""`operations audit`: proves the claims of the stack's audit output, one API call and one value each."""
