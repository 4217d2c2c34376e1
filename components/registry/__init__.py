"""Registry: where the images of the services lie."""
