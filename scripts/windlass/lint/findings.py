"""What a check has to say, in the form in which every format takes it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from windlass.spec.problem import Problem


@dataclass(frozen=True)
class Findings:
    """Problems, with paths as seen from the working directory, the files checked, and what these say."""

    problems: list[Problem]
    files: list[str]
    texts: Mapping[str, str] = field(default_factory=dict)
    tool: str = "windlass lint"

    def fingerprinted(self) -> Iterator[tuple[Problem, str]]:
        """Each problem with 64 characters that stay the same when lines move, and that no other problem here has."""
        seen: dict[str, int] = {}
        for problem in self.problems:
            key = f"{problem.path}\0{problem.rule}\0{problem.message}"
            seen[key] = seen.get(key, 0) + 1
            yield problem, sha256(f"{key}\0{seen[key]}".encode(errors="backslashreplace")).hexdigest()
