"""Keeping a hub in order: the doctor now; backup, restore and evidence export later (DESIGN.md section 4)."""
