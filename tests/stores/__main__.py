"""`python -m tests.stores`: fetch and build the servers, which may take longer than a test is allowed to."""

from services.local import servers

if __name__ == "__main__":
    servers.postgres_binaries()
    servers.ferretdb()
