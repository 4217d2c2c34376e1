"""A Python language host: lets the Pulumi engine run Python programs and policy packs.

The official host ships only inside Pulumi's own release archives. A Pulumi command line that was built from
source has none, so the sandbox brings this one. It serves `pulumirpc.LanguageRuntime` and runs each program
in an interpreter of its own, as the official one does.
"""
