"""What the tables are, where they live, who may see them. Imports nothing else of ours."""
