"""A stand-in for GitLab: git over HTTP and the API calls that deliveries need, one module per resource."""
