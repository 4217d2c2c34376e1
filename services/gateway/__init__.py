"""Gateways in front of the services, made from their `routes.yaml`."""
