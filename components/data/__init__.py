"""Data stores: PostgreSQL with its proxy, DocumentDB and Valkey."""
