"""Models: what a version is made from, how it is trained and judged, and how it is kept."""
