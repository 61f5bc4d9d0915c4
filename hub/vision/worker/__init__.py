"""Camera workers: processes that hold several cameras each. Small messages leave them, pictures and streams do not."""
