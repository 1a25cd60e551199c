class Refusal(Exception):
    """An action that the rules refuse. Its text is the French sentence that the user reads."""


class Stale(Refusal):
    """The page was opened before somebody else changed what it shows: nothing is done, the user looks again (409)."""
