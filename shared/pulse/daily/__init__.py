"""raw → daily: the days that changed, rebuilt as additive rows."""
