"""The output folder: who writes there, whether it is whole, how to query it."""
