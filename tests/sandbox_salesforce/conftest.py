"""One fresh org per test."""

import pytest

from tests.sandbox_salesforce.org import SalesforceOrg


@pytest.fixture
def org() -> SalesforceOrg:
    """Return a new org with its admin signed in."""
    return SalesforceOrg()
