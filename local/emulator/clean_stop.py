"""The sign of a state that was saved as a whole."""

CLEAN_STOP = "clean-stop"
"""File in the emulator's state folder: absent while it runs and after it was killed."""
