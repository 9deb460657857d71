"""This process: memory, signals, output streams and the watchdog."""
