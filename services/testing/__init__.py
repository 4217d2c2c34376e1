"""The services' own suites, each on stores that are started for it: `make services-test`."""
