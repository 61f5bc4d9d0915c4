"""The certificate that nobody trusts."""

from integrations.email.tests.conftest import certificate as certificate  # a fixture
