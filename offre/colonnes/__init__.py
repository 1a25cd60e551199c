"""The columns of the offre: declared once, for the workbook and for the fiches that people fill in the browser.

- ``declaration``: the columns; ``types``: the cells that only the offre knows; ``listes``: what cells choose from.
- ``regles``: what can be wrong; ``controles``: what the columns of a row say of each other, and of the database.
- ``fiches``: the rows of the database in their canonical form; ``ecriture``: writing them.
"""
