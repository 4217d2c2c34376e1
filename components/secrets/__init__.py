"""Credentials in Secrets Manager and their rotation."""
