"""Makes a pipeline of each template that no pipeline uses, with defaults and examples, so that rules see its body.

What is said about an example is nobody's problem, so it is left out; so are rules about what a pipeline may add.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from windlass.lint.project import PipelineFile, Project
from windlass.lint.rules import NOT_OF_TEMPLATES, RULES
from windlass.spec.assemble import assemble
from windlass.spec.document import Document
from windlass.spec.example import example_of
from windlass.spec.pipeline import salvage_pipeline
from windlass.spec.problem import Problem
from windlass.spec.shelf import Shelf
from windlass.spec.template import Template, TemplateParameter

_MAX_PER_RULE = 50


@dataclass(frozen=True)
class UnusedTemplate:
    """A template as a pipeline; `examples` are the places, by line and column, that depend on an example."""

    path: str
    file: PipelineFile
    examples: frozenset[tuple[int, int]]


def unused_templates(shelf: Shelf, files: Iterable[PipelineFile]) -> list[UnusedTemplate]:
    """The templates of the repository's own that none of its pipelines names; those that are broken are left out."""
    named = {str(file.document.value.get("template")) for file in files if isinstance(file.document.value, dict)}
    templates = [shelf.template(name, version) for name, versions in shelf.versions.items() for version in versions]
    return [
        _as_pipeline(template, template.parameters, shelf)
        for template in templates
        if template.parameters is not None and not template.folder and str(template) not in named
    ]


def problems_of_unused(project: Project, unused: Iterable[UnusedTemplate]) -> Iterator[Problem]:
    """What the rules find in the bodies of these templates."""
    for one in unused:
        alone = replace(project, pipelines=[one.file])
        found = [*one.file.document.problems]
        for rule in RULES:
            if rule not in NOT_OF_TEMPLATES:
                found += islice(rule.check(alone), _MAX_PER_RULE)
        for problem in found:
            if problem.path == one.path and (problem.line, problem.column) not in one.examples:
                yield replace(problem, used_by=())


def _as_pipeline(template: Template, parameters: Mapping[str, TemplateParameter], shelf: Shelf) -> UnusedTemplate:
    given = {name: example_of(one) for name, one in parameters.items() if not one.has_default}
    value = {"dag": {"name": template.name}, "template": str(template), "with": given}
    document = Document(f"pipelines/{template}", value)  # no file has such a name: what is said of it is told apart
    bare = {name: TemplateParameter(type=parameters[name].type, description="example") for name in given}
    usable = replace(template, parameters={**parameters, **bare})
    whole = assemble(document, usable, shelf.defaults_of(document.path))
    examples = {
        (placeholder.position.line, placeholder.position.column)
        for layer in (whole.layers if whole else ())
        for placeholder in layer.placeholders.values()
        if given.keys() & set(placeholder.parameters)
    }
    file = PipelineFile(whole or document, salvage_pipeline(whole) if whole else None)
    return UnusedTemplate(template.document.path, file, frozenset(examples))
