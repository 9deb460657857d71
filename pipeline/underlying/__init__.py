"""The underlying's prices: a small file for each symbol and trade date, beside the data files."""
