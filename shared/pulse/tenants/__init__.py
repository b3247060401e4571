"""Who Pulse reports for: tenants, their surveys with the scoring rules, and keys."""
