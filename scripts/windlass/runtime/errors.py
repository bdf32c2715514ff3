"""The one kind of stop that the runtime knows."""


class RuntimeStop(Exception):
    """A task or a training cannot go on; the message is one sentence that names the file, key or port."""
