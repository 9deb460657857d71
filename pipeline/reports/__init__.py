"""The report: what a run did and what it brought, drawn."""
