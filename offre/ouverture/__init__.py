"""Open data: the offre that is validated and not confidential, as a CSV file and as an API in the HSDS 3 profile."""
