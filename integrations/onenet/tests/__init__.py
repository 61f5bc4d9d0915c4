"""Tests of onenet: a platform that pushes by HTTP to the hub's own page server."""
