"""Real stores for tests: PostgreSQL, RabbitMQ and the MongoDB wire protocol, each started for the session.

Other test folders take the fixtures from `tests.stores.fixtures` in their own conftest.
"""
