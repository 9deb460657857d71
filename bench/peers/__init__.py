"""This project and others at the same work: `./run_local.sh bench --help`."""
