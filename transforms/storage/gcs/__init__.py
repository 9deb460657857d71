"""Objects in Google's Cloud Storage."""
