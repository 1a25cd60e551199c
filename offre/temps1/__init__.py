"""The Temps 1 workbook, from upload to database.

``declaration`` says the columns once; ``regles`` what can be wrong; ``modele`` writes the template from them;
``lecture`` reads a workbook and checks it; ``plan`` compares it with the database and the previous workbook;
``application`` writes, ``annulation`` undoes; ``annotation`` sends the user's rows back with their errors.
"""
