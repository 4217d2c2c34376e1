"""Real stores that last as long as whoever started them: for the tests, the services' suites and benchmarks.

Where their programs come from is in services.local.servers; the stores of `make services`, which keep their
data, are in services.local.stores.
"""
