"""The output folder: paths, the manifest, and what to skip."""
