"""Training with the libraries of the field: one file per library, one trainer over all of them."""
