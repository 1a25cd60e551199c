"""Reading workbooks (.xlsx, .ods) that nobody should trust.

``sandbox.read_workbook`` is the door. It never parses a byte itself: a child process without network, without files,
without Django and with little memory does (``child``), in three steps: what the file claims to be (``preflight``,
``archive``), then its sheets (``xlsx`` or ``ods``, on the XML reader of ``markup``), said row by row on a pipe
(``wire``). The parent turns these lines into the values of ``cells``. A file that cannot be read, for any reason, ends
in ``refusals.Refused``, whose text is the French sentence that the user reads.

``docs/decisions/0002-lecture-des-classeurs.md`` says why it is done this way, with the figures.
"""
