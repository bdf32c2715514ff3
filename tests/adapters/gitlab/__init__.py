"""What is asked of GitLab, one module of tests for each module of the adapter."""
