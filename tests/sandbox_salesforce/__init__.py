"""What the Salesforce sandbox does, asked over its own paths."""
