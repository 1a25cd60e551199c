class Refusal(Exception):
    """An action that the rules refuse. Its text is the French sentence that the user reads."""
