"""Helm charts in the sandbox: mirrors of them, and recordings of what they render for where there is none."""
