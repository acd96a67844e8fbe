"""What analysts rely on: comments on everything, a role that only reads, and the page's queries."""
