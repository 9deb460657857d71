"""From streams of batches to whole files, each committed with its entry in the manifest."""
