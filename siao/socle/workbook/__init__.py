"""Reading workbooks that nobody should trust: limits, a pre-flight, and a reader locked in a child process."""
