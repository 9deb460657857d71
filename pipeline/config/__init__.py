"""What one download is asked to do."""
