"""Uploads a file of more than 5 GB to S3 in parts: it appears as a whole, or nothing of it stays."""

import hashlib
from contextlib import suppress
from typing import Any, BinaryIO

from windlass.adapters import s3_checksum
from windlass.spec.errors import DeliveryError

_MOST_PARTS = 10_000


def put_parts(client: Any, where: dict[str, str], file: BinaryIO, *, sha256: str, size: int, part: int) -> None:
    """Writes the object `where` (Bucket, Key) from `file`, `part` bytes or more in memory at a time.

    DeliveryError when `file` does not have the SHA-256: S3 checks each part, and knows no sum of the whole.
    """
    upload = client.create_multipart_upload(**where, ChecksumAlgorithm="SHA256")["UploadId"]
    try:
        digest = hashlib.sha256()
        parts: list[dict[str, Any]] = []
        step = max(part, -(-size // _MOST_PARTS))
        while piece := file.read(step):
            digest.update(piece)
            number = len(parts) + 1
            sent = s3_checksum.sent(piece)
            answer = client.upload_part(**where, UploadId=upload, PartNumber=number, Body=piece, **sent)
            known = {"ChecksumSHA256": answer["ChecksumSHA256"]} if "ChecksumSHA256" in answer else {}
            parts.append({"PartNumber": number, "ETag": answer["ETag"], **known})
        if digest.hexdigest() != sha256:
            raise DeliveryError(f"s3://{where['Bucket']}/{where['Key']}: the file changed while it was sent; try again")
        client.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})
    except BaseException:  # Ctrl-C too: parts that nobody completes are invisible, and are paid for
        with suppress(Exception):
            client.abort_multipart_upload(**where, UploadId=upload)
        raise
