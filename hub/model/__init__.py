"""The frozen, typed vocabulary of the hub (DESIGN.md section 3). It imports nothing of ours."""
