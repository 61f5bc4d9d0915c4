"""All tests, wherever they stand, run under the same guards."""

pytest_plugins = ["tests.kit.guards", "tests.kit.chance", "tests.kit.order"]
