"""PostgreSQL: connections, tables and migrations."""
