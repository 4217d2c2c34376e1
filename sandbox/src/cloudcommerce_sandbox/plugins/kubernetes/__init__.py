"""The `kubernetes` plugin: any kind of object, applied by the API server's own rules."""
