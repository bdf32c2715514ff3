"""Reviews: what a merge request delivers, live in the first environment beside the real project."""
