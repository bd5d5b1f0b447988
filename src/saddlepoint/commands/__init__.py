"""One file a command: `run(arguments)`."""
