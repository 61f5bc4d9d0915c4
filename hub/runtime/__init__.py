"""The loop that joins the parts: batch → step → commit → acknowledge → dispatch; supervision; the clock."""
