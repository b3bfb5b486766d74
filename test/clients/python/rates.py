# boto3: rates of a bucket and of a user. A client without retries sees SlowDown; one with boto3's own retries backs off and
# gets everything through.
import uuid
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

from harness import BUCKET, OVER_TLS, SITE, check, equal, new_client, s3
from identities import allow, keys_of, service

USER = f"boto3-rates-{uuid.uuid4().hex[:8]}"
PATIENT = Config(signature_version="s3v4", retries={"mode": "standard", "total_max_attempts": 12})


def quota(method, body=b""):
    """Sends a request for the bucket's quota, an operation that boto3 does not know."""
    url = f"{SITE['endpoint']}/{BUCKET}?quota"
    request = AWSRequest(method=method, url=url, data=body, headers={"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
    credentials = boto3.Session(SITE["accessKeyId"], SITE["secretAccessKey"]).get_credentials()
    SigV4Auth(credentials, "s3", SITE["region"]).add_auth(request)
    return URLLib3Session().send(request.prepare()).status_code


def slowed(client):
    """The headers of the first refusal among requests at once."""

    def head(_):
        try:
            client.list_objects_v2(Bucket=BUCKET, MaxKeys=1)
            return None
        except ClientError as error:
            return error.response

    with ThreadPoolExecutor(8) as pool:
        refusals = [response for response in pool.map(head, range(24)) if response is not None]
    equal({(one["Error"]["Code"], one["ResponseMetadata"]["HTTPStatusCode"]) for one in refusals}, {("SlowDown", 503)})
    return refusals[0]["ResponseMetadata"]["HTTPHeaders"]


def put_all(client, prefix):
    keys = [f"{prefix}/{number}" for number in range(6)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda key: client.put_object(Bucket=BUCKET, Key=key, Body=key.encode()), keys))
    return keys


@check("a bucket's rate slows a client down with Retry-After, and one that backs off gets through", when=not OVER_TLS)
def _():
    document = b"<QuotaConfiguration><MaxRequestsPerSecond>2</MaxRequestsPerSecond></QuotaConfiguration>"
    equal(quota("PUT", document), 200)
    assert int(slowed(s3)["retry-after"]) >= 1
    keys = put_all(new_client(config=PATIENT), "rates/bucket")
    equal(quota("DELETE"), 204)
    for key in keys:
        equal(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read(), key.encode())


@check("a user's rate is a tag, and holds for each of its sessions", when=not OVER_TLS)
def _():
    iam = service("iam")
    iam.create_user(UserName=USER, Tags=[{"Key": "cairn:requests-per-second", "Value": "2"}])
    iam.put_user_policy(UserName=USER, PolicyName="all", PolicyDocument=allow(["s3:*", "sts:*"], "*"))
    keys = keys_of(iam.create_access_key(UserName=USER)["AccessKey"])
    sts = service("sts", **keys, config=Config(retries={"mode": "standard", "total_max_attempts": 12}))
    session = keys_of(sts.get_session_token()["Credentials"])
    assert int(slowed(new_client(**session))["retry-after"]) >= 1
    put_all(new_client(**session, config=PATIENT), "rates/user")
    iam.untag_user(UserName=USER, TagKeys=["cairn:requests-per-second"])
    put_all(new_client(**keys), "rates/free")
    iam.delete_access_key(UserName=USER, AccessKeyId=keys["aws_access_key_id"])
    iam.delete_user_policy(UserName=USER, PolicyName="all")
    iam.delete_user(UserName=USER)
