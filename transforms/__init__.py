"""The library floor: Beam transforms for option Greeks, and what they are made of.

Nothing in here imports `pipeline`.
"""
