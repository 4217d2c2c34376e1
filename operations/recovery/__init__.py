"""`operations recover`: after the engine, a plugin or the machine died during an update."""
