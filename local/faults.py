"""Why a command of the local system failed: one sentence for the user, with what to do next."""


class LocalFault(Exception):
    """A command cannot go on; the text is shown without a traceback."""
