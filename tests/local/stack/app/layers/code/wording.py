"""The module that the test's layer contains."""

LAYER = "from the layer"
