"""Descriptions from files of others, and as source."""
