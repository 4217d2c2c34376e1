"""Commands for people after `pulumi up`: audit, bootstrap, recover, teardown.

They read the Pulumi state and AWS, never the program, so that they work on whatever was deployed, also when
the program of today is broken. Nothing here imports `infra` or `stacks`.
"""
