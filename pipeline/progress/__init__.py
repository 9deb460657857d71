"""What is seen while a download runs."""
