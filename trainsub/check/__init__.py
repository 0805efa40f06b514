"""Facts to findings: what is wrong, how bad, and what to do. Pure."""
