"""`pulse`: the command that operators type. main.py says what is where."""
