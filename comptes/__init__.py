"""Users, profils, habilitations, périmètres, territoires, journal, messages."""
