"""Integrations for other training libraries: ganvas's data, records and doctor."""
