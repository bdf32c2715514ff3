"""The shell scripts that run a job in containers: one brings its files, one runs it, one keeps what it wrote.

The first and the last run in `jobs.stage_image` and have the right to the buckets. The one between them runs in the
image of the job, which has to bring nothing but a shell, and sees no credentials. All three share the folder
`/windlass`. What the first and the last have to say is the last line that they print: see container_words.
"""

import base64
import gzip
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

SHARED = "/windlass"
JOB_COMMAND = (f"{SHARED}/bin/busybox", "sh", f"{SHARED}/run.sh")
_CHUNK = 100_000  # Linux takes at most 128 KiB in one argument
_OPEN = 'printf %s "$@" | busybox base64 -d | busybox gunzip >/tmp/windlass.sh && exec busybox sh /tmp/windlass.sh'


@dataclass(frozen=True)
class StoredFile:
    """An object, and where below the shared folder it belongs; `sha256` is what it must hold."""

    bucket: str
    key: str
    path: str
    sha256: str


def packed(script: str) -> list[str]:
    """The command that runs `script` in the stage image, however long it is."""
    content = base64.b64encode(gzip.compress(script.encode(), mtime=0)).decode()
    chunks = [content[start : start + _CHUNK] for start in range(0, len(content), _CHUNK)]
    return ["busybox", "sh", "-c", _OPEN, "windlass", *chunks]


def stage_script(
    files: Iterable[StoredFile],
    folders: Iterable[str],
    script: str,
    variables: Mapping[str, str],
    time_limit: timedelta,
    grace: timedelta,
    *,
    disk: int = 0,
    watched: bool = False,
) -> str:
    """Fetches `files`, each digest checked, makes `folders`, and lays out what the job's container runs.

    `disk` is how many bytes the shared folder may hold while the script runs; 0 is no limit.
    `watched` makes that container wait for the one that keeps its files, which is then told of its end.
    """
    wanted = list(files)
    lines = "".join(
        f"cp --raw {shlex.quote(f's3://{each.bucket}/{each.key}')} {SHARED}/{each.path}\n" for each in wanted
    )
    made = sorted({f"{SHARED}/{folder}" for folder in folders} | {_parent(each.path) for each in wanted})
    limits = f"limit={time_limit.total_seconds():g}\ngrace={grace.total_seconds():g}\ndisk={disk // 1024}\n"
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(variables.items()))
    return "\n".join(
        [
            _SAY,
            f"cd {SHARED} && umask 0 || say io {SHARED}",
            f"mkdir -p bin work tmp inputs outputs report {shlex.join(made)} || say io {SHARED}",
            "cp /bin/busybox bin/busybox && chmod 755 bin/busybox || say io bin/busybox",
            f"printf %s {shlex.quote(script)} >script.sh || say io script.sh",
            f"printf %s {shlex.quote(limits + exports + _RUN)} >run.sh || say io run.sh",
            "busybox mkfifo report/alive || say io report" if watched else "",
            "busybox dd if=/dev/zero of=report/reserve bs=64k count=1 2>/dev/null || say io report",
            f"printf %s {shlex.quote(lines)} >/tmp/fetch.list",
            "s5cmd --log error --retry-count 4 run /tmp/fetch.list 2>/tmp/errors >/dev/null </dev/null; fetched=$?",
            _CHECK_INPUT,
            *[f"check {shlex.join((each.bucket, each.key, each.path, each.sha256))}" for each in wanted],
            "say staged",
        ]
    )


def keep_script(outputs: Mapping[str, tuple[str, str, str]], wait: timedelta | None = None) -> str:
    """Checks and keeps what the job wrote: by port the path below the shared folder, the bucket and the key.

    With `wait` the job runs beside it: its start is waited for so long, its end for as long as it takes.
    """
    return "\n".join(
        [
            _SAY,
            f"cd {SHARED} || say io {SHARED}",
            "" if wait is None else _AWAIT.replace("LIMIT", f"{int(wait.total_seconds())}"),
            _READ_END,
            *[f"look {shlex.join((port, path))}" for port, (path, _, _) in outputs.items()],
            *[f"put {shlex.join((port, path, bucket, key))}" for port, (path, bucket, key) in outputs.items()],
            'say end "$code" "$how" "$begin" "$end" "$killed"',
        ]
    )


def _parent(path: str) -> str:
    return f"{SHARED}/{path.rpartition('/')[0]}"


_SAY = r"""
export PATH=/bin
say() {
    printf 'windlass %s\n' "$*"
    [ ! -w /dev/termination-log ] || printf 'windlass %s\n' "$*" >/dev/termination-log
    case "$1" in staged) exit 0 ;; end) [ "$2 $3" = '0 ended' ] && exit 0 ;; esac
    exit 1
}
"""

_CHECK_INPUT = r"""
check() {
    if [ ! -f "$3" ]; then
        error=$(busybox grep -F "s3://$1/$2 " /tmp/errors | busybox head -n 1 | busybox cut -c 1-600)
        say unfetched "$1" "$2" "${error:-$(busybox head -c 600 /tmp/errors | busybox tr '\n' ' ')}"
    fi
    sum=$(busybox sha256sum "$3") || say io "$3"
    [ "${sum%% *}" = "$4" ] || say tampered "$1" "$2" "${sum%% *}" "$4"
}
"""

_AWAIT = r"""
busybox cat report/alive &
reader=$!
waited=0
until [ -e report/started ]; do
    [ "$waited" -lt LIMIT ] || { kill "$reader"; say unstarted LIMIT; }
    busybox sleep 1
    waited=$((waited + 1))
done
wait "$reader"
"""
"""A pipe ends with the process that writes to it, however that ends: nothing else tells of a container that was killed.

Its opening for writing waits for this reader, so the job does not begin before it is watched.
"""

_READ_END = r"""
[ -f report/end ] || say unseen
read -r code how begin end killed _ <report/end || say unseen
[ "$code $how" = '0 ended' ] || say end "$code" "$how" "$begin" "$end" "$killed"
look() {
    [ -e "$2" ] || say missing "$1"
    case "$(busybox readlink -f "$2")" in /windlass/*) ;; *) say odd "$1" ;; esac
    [ -f "$2" ] || say odd "$1"
    [ -s "$2" ] || say empty "$1"
    [ -r "$2" ] || say odd "$1"
}
put() {
    sum=$(busybox sha256sum "$2") || say io "$2"
    s5cmd --log error --retry-count 4 cp --raw --metadata "sha256=${sum%% *}" "$2" "s3://$3/$4" \
        2>/tmp/errors >/dev/null </dev/null && return
    say unkept "$3" "$4" "$(busybox head -c 600 /tmp/errors | busybox tr '\n' ' ')"
}
"""
"""A link may lead to what only this container has, its credentials among that: so all is read below /windlass."""

_RUN = r"""
b=/windlass/bin/busybox
report=/windlass/report
[ ! -p "$report/alive" ] || exec 9>"$report/alive"
: >"$report/started"
export HOME=/windlass/work TMPDIR=/windlass/tmp LANG=C.UTF-8 PYTHONUNBUFFERED=1
cd /windlass/work || exit 1
group() { "$b" kill "-$1" -- "-$child" 2>/dev/null; }
end_later() { ("$b" sleep "$grace"; group KILL) 9>&- & }
stop() { stopped=1; group TERM; end_later; }
stopped=0
trap stop TERM INT HUP
read -r begin _ </proc/uptime
if command -v sh >/dev/null; then
    "$b" setsid sh -c "$("$b" cat /windlass/script.sh)" </dev/null 9>&- &
else
    "$b" setsid "$b" sh -c "$("$b" cat /windlass/script.sh)" </dev/null 9>&- &
fi
child=$!
("$b" sleep "$limit"; : >"$report/timeout"; group TERM; "$b" sleep "$grace"; group KILL) 9>&- &
weigh() { used=$("$b" du -sk /windlass 2>/dev/null) used=${used%%[!0-9]*}; [ "${used:-0}" -le "$disk" ]; }
[ "$disk" = 0 ] || (while weigh; do "$b" sleep 1; done; : >"$report/full"; group KILL) 9>&- &
[ "$stopped" = 0 ] || stop
while :; do
    wait "$child"
    code=$?
    "$b" kill -0 "$child" 2>/dev/null || break
done
read -r end _ </proc/uptime
how=ended
[ ! -e "$report/timeout" ] || how=timeout
[ ! -e "$report/full" ] || how=disk
[ "$stopped" = 0 ] || how=stopped
tries=0
while [ "$how" != ended ] && group 0 && [ "$tries" -lt 100 ]; do
    "$b" usleep 100000
    tries=$((tries + 1))
done
group KILL
[ "$$" != 1 ] || "$b" kill -KILL -1 2>/dev/null
"$b" find /windlass/outputs -type f -exec "$b" chmod a+r {} \; 2>/dev/null
"$b" rm -f "$report/reserve"
cgroup=/sys/fs/cgroup
killed=$("$b" sed -n 's/^oom_kill //p' "$cgroup/memory.events" "$cgroup/memory/memory.oom_control" 2>/dev/null)
echo "$code $how $begin $end ${killed:-0}" >"$report/end"
[ "$how" = ended ] || exit 143
exit "$code"
"""
"""Runs in the job's image as its first process: when it ends, the kernel ends whatever the script left behind."""
