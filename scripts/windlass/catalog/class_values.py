"""The values that a class's own body gives its attributes; griffe alone keeps the last one, `self.x = ...` included."""

import ast
from typing import Any

import griffe


class ClassValues(griffe.Extension):
    """Collects `nodes`: the syntax of the value of each attribute of each class, by the names of both."""

    def __init__(self) -> None:
        super().__init__()
        self.nodes: dict[tuple[str, str], ast.expr] = {}

    def on_attribute_node(self, *, node: Any, agent: Any, **_: Any) -> None:
        """Notes an assignment in a class's body."""
        if not isinstance(node, (ast.Assign, ast.AnnAssign)) or not agent.current.is_class or node.value is None:
            return
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(target, ast.Name):
                self.nodes[agent.current.name, target.id] = node.value
