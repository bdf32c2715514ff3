"""A stand-in for GitLab: git over HTTP and the few API calls in use, one module per resource."""
