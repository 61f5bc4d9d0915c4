"""Backups: one encrypted file with the journal, the evidence and the site's own files; and the way back."""
