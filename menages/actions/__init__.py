"""What can be done to ménages and personnes. Each function is one transaction, with its author (a habilitation) and
its line of the journal; a rule that refuses raises ``Refusal`` with the sentence to show.
"""
