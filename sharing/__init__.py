"""What other agencies get: shares cut to their agreements, written as tables of their own, and served to them."""
