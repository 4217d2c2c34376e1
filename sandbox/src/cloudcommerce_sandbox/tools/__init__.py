"""Tools of other projects that the sandbox runs: taken from PATH when they fit, else built once with Go."""
