"""The application floor: the command line, and what runs the graph of `transforms`."""
