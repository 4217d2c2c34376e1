"""Resource plugins that speak Pulumi's provider protocol: what the engine talks to in the sandbox."""
