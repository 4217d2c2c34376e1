"""How fast the program and the sandbox are, measured on this machine; `make bench`."""
