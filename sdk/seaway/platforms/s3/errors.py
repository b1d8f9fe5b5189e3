"""An S3 server's answer becomes an error that says what to do; never a secret in it."""

from collections.abc import Iterator
from contextlib import contextmanager

from minio.error import InvalidResponseError, MinioException, S3Error
from urllib3.exceptions import HTTPError

from seaway.errors import DataUnreadable, StorageUnavailable
from seaway.storage import Uri

ADVICE = {  # S3 API reference, error responses
    "AccessDenied": "the credentials may not do this here: allow s3:GetObject, s3:PutObject, s3:DeleteObject, "
    "s3:AbortMultipartUpload and s3:ListBucket on the bucket. A server that is asked about a file alone says no more "
    "than that where AWS_ACCESS_KEY_ID was revoked or AWS_SECRET_ACCESS_KEY is not its own: see to those too.",
    "InvalidAccessKeyId": "the server knows no such access key: AWS_ACCESS_KEY_ID is of another server or was revoked.",
    "SignatureDoesNotMatch": "the secret key is not the access key's: set AWS_SECRET_ACCESS_KEY anew.",
    "ExpiredToken": "the temporary credentials are too old: get new ones.",
    "RequestTimeTooSkewed": "this machine's clock and the server's are more than 15 minutes apart: synchronise them.",
    "NoSuchBucket": "there is no such bucket: make it, Seaway never does.",
    "EntityTooLarge": "the server takes no file of this size.",
    "QuotaExceeded": "the bucket's quota is used up: remove old runs, or have it raised.",
}


@contextmanager
def explained(target: Uri) -> Iterator[None]:
    """Turn the client's errors about `target` into Seaway's.

    Raises:
        DataUnreadable: the object was replaced or removed while it was read.
        StorageUnavailable: everything else.
    """
    try:
        yield
    except S3Error as error:
        if error.code in ("PreconditionFailed", "NoSuchKey"):
            raise DataUnreadable(f"{target} was replaced or removed while it was read; run the step again.") from error
        advice = ADVICE.get(error.code or "", f"{error.message}.")
        raise StorageUnavailable(f"The storage refuses {target} ({error.code}): {advice}") from error
    except InvalidResponseError as error:
        raise StorageUnavailable(
            f"What answers for {target} does not speak S3: is AWS_ENDPOINT_URL the address of its S3 API?"
        ) from error
    except MinioException as error:
        raise StorageUnavailable(f"The storage fails on {target}: {error}.") from error
    except HTTPError as error:
        raise StorageUnavailable(
            f"The storage does not answer for {target}, not after several tries either ({error}); is its address "
            "(AWS_ENDPOINT_URL) right and reachable from here?"
        ) from error
