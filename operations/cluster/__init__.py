"""The Kubernetes clusters of a stack, reached as the stack's own providers reach them."""
