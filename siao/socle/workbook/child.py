"""The locked-up reader."""
