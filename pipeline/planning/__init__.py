"""What a download would do."""
