"""A new repository: its files as text (`files`), made from `templates/`, and how they come into a folder (`place`)."""
