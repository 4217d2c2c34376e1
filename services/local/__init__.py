"""The whole shop on one machine, without Docker: `make services`.

process-compose.yaml says what runs and what waits for what; this package only prepares: it finds or builds
the programs, makes secrets and empty databases once, and hands all of it to process-compose as variables.
"""
