"""Pages of the accounts, by what they are for."""
