"""The program: settings, the stack they describe, and its audit outputs."""
