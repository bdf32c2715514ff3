"""Where jobs have an id token for AWS, it says for whom (`aud`), there is a role, and no stored key goes before it.

boto3 takes a key from AWS_ACCESS_KEY_ID before it looks at a token. The jobs of models run in a child pipeline, which
knows no job of .gitlab-ci.yml: their token is in the file of the input `train_overrides`.
"""

from collections.abc import Iterator

from windlass.doctor.ci_file import CiFile
from windlass.doctor.examined import AWS_KEYS, Examined
from windlass.spec.project_settings import seen

NAME = "id-tokens"
PLACE = "repository"
SEVERITY = "error"
MENU = ".gitlab-ci.yml: id_tokens; Settings > CI/CD > Variables: AWS_ROLE_ARN"
API = "POST /projects/:id/variables"


def check(examined: Examined) -> Iterator[str]:
    """A sentence for each half of it that is there without the other."""
    audiences = seen(examined.ci_file).audiences
    for job, named in audiences.items():
        if not named:
            yield f"{job!r} in .gitlab-ci.yml has a WINDLASS_ID_TOKEN without aud: AWS compares it with the provider's"
    if audiences and examined.has_models:
        yield from _of_models(seen(examined.ci_file))
    variables = {variable.key for variable in seen(examined.settings.variables)}
    if audiences and "AWS_ROLE_ARN" in variables and variables & set(AWS_KEYS):
        yield "AWS_ACCESS_KEY_ID is set beside the id token: boto3 takes the stored key, and never the role"
    if "AWS_ROLE_ARN" in variables and not audiences and not variables & set(AWS_KEYS):
        yield "AWS_ROLE_ARN is set, but no job in .gitlab-ci.yml has id_tokens: WINDLASS_ID_TOKEN to take the role with"
    if audiences and "AWS_ROLE_ARN" not in variables:
        examined.need_all_variables()
        yield "jobs have a WINDLASS_ID_TOKEN, but there is no variable AWS_ROLE_ARN with the role to take"


def _of_models(ci_file: CiFile) -> Iterator[str]:
    for include in ci_file.includes:
        if not include.file.endswith(("/model.yml", "/train.yml")) or include.inputs.get("train_jobs") == "together":
            continue
        job = f".windlass:{include.inputs.get('project')}"
        if job in ci_file.audiences and not include.inputs.get("train_overrides"):
            yield (
                f"the jobs of models get no WINDLASS_ID_TOKEN: they run in a child pipeline, which knows no {job!r} "
                "of .gitlab-ci.yml; write it in another file, include that, and name it in the input train_overrides"
            )
