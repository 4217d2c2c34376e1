"""The `random` resource plugin: values made once, kept in state, secret where they are passwords."""
