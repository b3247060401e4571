"""Tenants, their surveys with the rules of scoring, and their keys."""
