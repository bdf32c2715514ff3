"""What windlass needs of a machine and of a GitLab project: one check per module, all of them pure."""
