"""How fast the services are, how much memory they take and how soon they serve: `make bench-services`."""
