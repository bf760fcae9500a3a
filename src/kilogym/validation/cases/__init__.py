"""The experiments, a module per part of the validation, or several where a part is large."""
