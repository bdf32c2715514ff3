"""What GitLab publishes of its API, and what is held against it: stand-in, adapters and the requests of all tests."""
