"""The only code that touches AWS: one module a service, one class a thing Pulse keeps there."""
