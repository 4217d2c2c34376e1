"""`python -m tests.stores`: fetch and build the servers, which may take longer than a test is allowed to."""

from tests.stores import ferretdb, postgres

if __name__ == "__main__":
    postgres.server_binaries()
    ferretdb.binary()
