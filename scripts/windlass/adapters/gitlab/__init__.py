"""GitLab over its REST API: one module for each thing that is asked of it, all of them through `connection`."""
