"""The rule language, form by form."""
