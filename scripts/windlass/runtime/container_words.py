"""What the containers of a job report in their last line, as the sentences that a job on the worker would end with."""

from collections.abc import Mapping
from typing import Any

from .errors import RuntimeStop
from .job import output_trouble
from .process import Limits, end_reason

WORD = "windlass "


def last_word(log: str) -> list[str]:
    """The words of the report in the last line of `log`; none where the container did not come to its end."""
    lines = log.strip().splitlines()
    return lines[-1][len(WORD) :].split(" ") if lines and lines[-1].startswith(WORD) else []


def check_staged(words: list[str], endpoint: str) -> None:
    """RuntimeStop unless `words` say that all inputs were fetched."""
    match words:
        case ["staged"]:
            return
        case ["tampered", bucket, key, found, wanted]:
            raise RuntimeStop(
                f"s3://{bucket}/{key} is not what was kept: SHA-256 {found[:16]}... instead of {wanted[:16]}...; "
                "somebody changed it"
            )
        case ["unfetched", bucket, key, *error]:
            raise RuntimeStop(_of_s3(bucket, key, " ".join(error), endpoint))
        case ["io", path]:
            raise RuntimeStop(f"the inputs could not be staged: {path} cannot be written; the disk may be full")
    raise RuntimeStop("the container that fetches the inputs was ended; too little memory or disk is the usual cause")


def check_kept(words: list[str], task: Any, tail: tuple[str, ...], limits: Limits) -> float:
    """How many seconds the script ran; RuntimeStop unless it ended well and the outputs of `task` were kept."""
    files: Mapping[str, str] = task.outputs
    match words:
        case ["end", code, how, begin, end, killed]:
            seconds = float(end) - float(begin)
            is_lack = how == "ended" and code != "0" and killed != "0"
            reason = end_reason(_signal_or_code(int(code)), "memory" if is_lack else how, task.execution_time, limits)
            if reason is None:
                return seconds
            last = f"; its last line: {tail[-1][:300]!r}" if tail else "; it printed nothing"
            raise RuntimeStop(f"the script {reason} after {seconds:.1f} seconds{last}")
        case [("missing" | "odd" | "empty") as what, port] if port in files:
            raise RuntimeStop(output_trouble(what, port, files[port]))
        case ["unkept", bucket, key, *error]:
            raise RuntimeStop(_of_s3(bucket, key, " ".join(error), "the endpoint"))
        case ["unstarted", seconds]:
            raise RuntimeStop(
                f"the container of the job did not start within {seconds} seconds; look at jobs.start_within"
            )
    raise RuntimeStop("the script ended unseen: its container was killed; too little memory is the usual cause")


def _signal_or_code(code: int) -> int:
    """A shell tells of a signal by 128 and its number; as Python has it, that is the negative number."""
    return 128 - code if 128 < code <= 128 + 31 else code


def _of_s3(bucket: str, key: str, error: str, endpoint: str) -> str:
    where = f"s3://{bucket}/{key}"
    if "NoSuchBucket" in error:
        return f"there is no bucket {bucket!r} at {endpoint}"
    if "NoSuchKey" in error or "status code: 404" in error:
        return f"there is no object {where}"
    for code in ("AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"):
        if code in error:
            return f"S3 refuses access to {where} ({code}); check the credentials of the jobs' containers"
    if "no space left" in error:
        return f"there is no room on the disk for {where}; ask for a flavor with more disk"
    return f"S3 at {endpoint} does not give or take {where}: {error[-300:] or 'no reason was given'}"
