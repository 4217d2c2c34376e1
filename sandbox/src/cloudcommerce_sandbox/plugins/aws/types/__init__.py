"""The declared resource types, one module a service. `declaration` tells how to write one."""
