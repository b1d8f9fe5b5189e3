"""How an S3 server is reached: endpoint, credentials and patience, all from the environment."""

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

import certifi
import urllib3
from minio import Minio
from minio.credentials.providers import AWSConfigProvider, ChainedProvider, EnvAWSProvider, IamAwsProvider, Provider
from urllib3.util import Retry, Timeout

from seaway.errors import InvalidSpec

ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "S3_ENDPOINT")  # the first that is set
AMAZON = "https://s3.amazonaws.com"
KUBEFLOW = "http://minio-service.kubeflow:9000"  # what Kubeflow Pipelines means by minio://
ANY_REGION = "us-east-1"  # servers other than Amazon's have no regions but sign with this one
IAM = ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
CONNECTIONS = 16  # kept open; as many as transfers run at once
TIMEOUT = Timeout(connect=5.0, read=60.0)  # seconds

# Nine tries in about a minute and a half, each wait with up to half a second of jitter; a server's Retry-After wins.
PATIENCE = Retry(
    total=8,
    backoff_factor=0.5,
    backoff_jitter=0.5,
    backoff_max=20.0,
    status_forcelist=(429, 500, 502, 503, 504),
    allowed_methods=None,  # all: objects are named by key and parts by number, so repeating changes nothing
    raise_on_status=False,
)


def connect(default_endpoint: str, environment: Mapping[str, str] = os.environ, retry: Retry = PATIENCE) -> Minio:
    """A client of the S3 server that the environment names, else of `default_endpoint`; nothing is sent yet.

    Raises:
        InvalidSpec: the endpoint is no http(s) URL, or there are no credentials.
    """
    url = next((environment[name] for name in ENDPOINTS if environment.get(name)), default_endpoint)
    scheme, host = _parts(url)
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    return Minio(
        host,
        secure=scheme == "https",
        region=region or (None if host.endswith(".amazonaws.com") else ANY_REGION),
        http_client=_pool(environment, retry),
        credentials=_credentials(environment),
    )


def _parts(url: str) -> tuple[str, str]:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.path.strip("/"):
        raise InvalidSpec(
            f"The S3 endpoint ({' or '.join(ENDPOINTS)}) is no plain URL such as http://minio-service.kubeflow:9000; "
            "it holds neither a path nor credentials."
        )
    return parts.scheme, parts.netloc


def _pool(environment: Mapping[str, str], retry: Retry) -> urllib3.PoolManager:
    return urllib3.PoolManager(
        maxsize=CONNECTIONS,
        timeout=TIMEOUT,
        retries=retry,
        cert_reqs="CERT_REQUIRED",
        ca_certs=environment.get("AWS_CA_BUNDLE") or environment.get("SSL_CERT_FILE") or certifi.where(),
    )


def _credentials(environment: Mapping[str, str]) -> Provider:
    providers: list[Provider] = [EnvAWSProvider(), AWSConfigProvider()]
    if any(name in environment for name in IAM):
        providers.append(IamAwsProvider())
    chain = ChainedProvider(providers)
    try:
        chain.retrieve()
    except ValueError as error:
        raise InvalidSpec(
            "No S3 credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (in a pod, from a Secret), or have "
            "them in ~/.aws/credentials, or give the pod's ServiceAccount an IAM role."
        ) from error
    return chain
