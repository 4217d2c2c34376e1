"""HTTP: applications, middleware, health and the API description."""
