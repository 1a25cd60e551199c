"""The writes of the offre: each is atomic, knows its author, and says no with a ``Refusal``."""
