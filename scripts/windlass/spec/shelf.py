"""Finds the templates and the defaults that the pipelines of a project can use: its own, and its platform's.

A version of a template is the file `templates/<name>@<version>.yml`. A pipeline takes the `defaults.yml` of its folder
and of those above it, and that of the platform; of templates and defaults of the same name the nearest wins.
"""

from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath

from windlass.spec.assemble import Assembled, assemble
from windlass.spec.defaults import FILE, Defaults, read_defaults
from windlass.spec.document import Document, parse_document
from windlass.spec.files import printable, read_inside
from windlass.spec.problem import Problem, near
from windlass.spec.task import is_foreign
from windlass.spec.template import FOLDER, Template, parse_reference, read_template

PLATFORM = ".windlass/platform"
"""Where a job's checkout of the platform repository is."""


class Shelf:
    """The templates and defaults of the project in `folder`; `platform` is where the platform's repository is.

    `documents` are the project's own files and those of the platform's that something uses, by path. `changed` are
    files to be taken as if they held this.
    """

    def __init__(self, folder: Path, platform: Path | None = None, changed: Mapping[str, bytes] | None = None) -> None:
        self.folder = folder
        self.changed = changed or {}
        self.documents: dict[str, Document] = {}
        self._platform = (platform, str(platform)) if platform else (folder / PLATFORM, PLATFORM)
        self._paths: dict[tuple[str, int], tuple[Path, str, str]] = {}
        self._templates: dict[tuple[str, int], Template] = {}
        self._defaults: dict[str, tuple[Document, Defaults | None] | None] = {}
        self._defaults_of: dict[str, list[tuple[Document, Defaults]]] = {}
        self._list(self._platform[0], self._platform[1])
        for key in self._list(folder, ""):
            self.template(*key)
        for path in (FILE, f"pipelines/{FILE}"):
            self._default(path)

    @property
    def versions(self) -> dict[str, list[int]]:
        """The versions of each template by its name, in order; nothing is read for this."""
        found: dict[str, list[int]] = {}
        for name, version in sorted(self._paths):
            found.setdefault(name, []).append(version)
        return found

    @property
    def own(self) -> list[str]:
        """The paths of the project's own templates and defaults."""
        prefix = f"{self._platform[1]}/"
        return sorted(path for path in self.documents if not path.startswith(prefix))

    @property
    def operators(self) -> set[str]:
        """The operators that the project's own defaults give arguments to."""
        return {name for _, defaults in self._own_defaults() for name in defaults.operators}

    def check_operators(self, known: Collection[str]) -> None:
        """Adds a problem for each operator in the project's own defaults that does not exist."""
        for document, defaults in self._own_defaults():
            for name in defaults.operators:
                if name not in known and not is_foreign(name):
                    message = f"there is no operator {name!r}{near(name, known)}"
                    document.problems.append(
                        document.problem(("operators", name), "known-operator", message, at_key=True)
                    )

    def _own_defaults(self) -> list[tuple[Document, Defaults]]:
        own = self.own
        return [(one[0], one[1]) for one in self._defaults.values() if one and one[1] and one[0].path in own]

    def template(self, name: str, version: int) -> Template:
        """The template; KeyError where there is none. What is wrong with it is among its document's problems."""
        key = (name, version)
        if key not in self._templates:
            root, path, folder = self._paths[key]
            shown = str(PurePosixPath(folder, path)) if folder else path
            self._templates[key] = read_template(name, version, self._parse(root, path, shown), folder)
        return self._templates[key]

    def assembled(self, document: Document) -> Document | None:
        """The pipeline with its template and its defaults; None where it cannot be put together, with problems.

        A pipeline that neither has is the document itself.
        """
        if not isinstance(document.value, dict):
            return document
        template = self._template_of(document) if {"template", "with"} & document.value.keys() else None
        if isinstance(template, str):
            return None
        defaults = self.defaults_of(document.path)
        if template is None and not defaults:
            return document
        return assemble(document, template, defaults)

    def layers_of(self, document: Document) -> Assembled | None:
        """The same with the layers it is made of, even where the pipeline's file is the only one."""
        whole = self.assembled(document)
        if not isinstance(document.value, dict):
            return None
        return whole if isinstance(whole, Assembled) or whole is None else assemble(document, None, [])

    def defaults_of(self, path: str) -> list[tuple[Document, Defaults]]:
        """The defaults that hold for the pipeline at `path`, the nearest last; those with problems are left out."""
        folder = path.rpartition("/")[0]
        if folder not in self._defaults_of:
            folders = [one for one in reversed(PurePosixPath(path).parents) if ".." not in one.parts]
            found = [self._default(FILE, platform=True), *(self._default(str(one / FILE)) for one in folders)]
            self._defaults_of[folder] = [(one[0], one[1]) for one in found if one and one[1] is not None]
        return self._defaults_of[folder]

    def _template_of(self, document: Document) -> Template | str | None:
        """The template that a pipeline names, or the sentence why there is none, which is then its problem."""
        why = self._why_no_template(document.value)
        if why:
            place = ("template",) if "template" in document.value else ("with",)
            document.problems.append(document.problem(place, "schema", why, at_key="template" not in document.value))
            return why
        reference = parse_reference(document.value["template"])
        assert reference is not None
        return self.template(*reference)

    def _why_no_template(self, value: Mapping[str, object]) -> str | None:
        text = value.get("template")
        if "template" not in value:
            return "with is for the parameters of a template; write template: NAME@VERSION too"
        valid = [f"{name}@{version}" for name, version in self._paths]
        reference = parse_reference(text) if isinstance(text, str) else None
        if reference is None:
            latest = [f"{name}@{versions[-1]}" for name, versions in self.versions.items()]
            return f"template: {text!r} is not of the form NAME@VERSION, such as etl@2{near(str(text), latest)}"
        if reference not in self._paths:
            others = [str(version) for version in self.versions.get(reference[0], [])]
            if others:
                return f"template {reference[0]!r} has no version {reference[1]}; it has {', '.join(others)}"
            if (self.folder / FOLDER / f"{reference[0]}.yml").is_file():
                return f"templates/{reference[0]}.yml has no version; call the file {reference[0]}@{reference[1]}.yml"
            return f"there is no template {text!r}{near(str(text), valid)}" + (
                "" if valid else f"; it would be the file {FOLDER}/{text}.yml"
            )
        template = self.template(*reference)
        if template.parameters is None:
            first = min(template.document.problems)
            return (
                f"template {text!r} cannot be used before it is corrected: {first.path}:{first.line}: {first.message}"
            )
        return None

    def _list(self, root: Path, shown: str) -> list[tuple[str, int]]:
        """Notes the templates of a repository; a nearer one of the same name and version takes the other's place."""
        found = []
        for file in sorted((root / FOLDER).glob("*@*.yml")):
            reference = parse_reference(file.stem)
            if reference:
                self._paths[reference] = (root, f"{FOLDER}/{file.name}", shown)
                found.append(reference)
            elif not shown:
                path = printable(f"{FOLDER}/{file.name}")
                message = "a template's file is called NAME@VERSION.yml, such as etl@2.yml"
                self.documents[path] = Document(path, problems=[Problem(path, 1, 1, "schema", message)])
        return found

    def _default(self, path: str, *, platform: bool = False) -> tuple[Document, Defaults | None] | None:
        root, shown = (self._platform[0], f"{self._platform[1]}/{path}") if platform else (self.folder, path)
        if shown not in self._defaults:
            there = path in self.changed or (root / path).exists() or (root / path).is_symlink()
            self._defaults[shown] = None
            if there:
                document = self._parse(root, path, shown)
                self._defaults[shown] = document, read_defaults(document) if not document.problems else None
        return self._defaults[shown]

    def _parse(self, root: Path, path: str, shown: str) -> Document:
        inside = shown.startswith(f"{PLATFORM}/")  # a link there must not lead out of the project either
        root, path = (self.folder, shown) if inside else (root, path)
        content = self.changed[shown] if shown in self.changed else read_inside(root, path)
        if isinstance(content, str):
            document = Document(shown, problems=[Problem(shown, 1, 1, "syntax", content)])
        else:
            document = parse_document(shown, content)
        self.documents[shown] = document
        return document
