# boto3: every refusal arrives as an error with S3's code, status and a message.
import os

from harness import BUCKET, OVER_TLS, SITE, check, equal, has_parameter, new_client, put, refused, s3


@check("every operation on a missing bucket returns NoSuchBucket")
def _():
    absent = f"{BUCKET}-absent"
    error = refused("NoSuchBucket", 404, s3.get_object, Bucket=absent, Key="k")
    equal(error["BucketName"], absent)
    refused("NoSuchBucket", 404, s3.put_object, Bucket=absent, Key="k", Body=b"x")
    refused("NoSuchBucket", 404, s3.delete_object, Bucket=absent, Key="k")
    refused("NoSuchBucket", 404, s3.list_objects, Bucket=absent)
    refused("NoSuchBucket", 404, s3.delete_bucket, Bucket=absent)
    refused("404", 404, s3.head_bucket, Bucket=absent)


@check("NoSuchKey names the key")
def _():
    equal(refused("NoSuchKey", 404, s3.get_object, Bucket=BUCKET, Key="never/é put")["Key"], "never/é put")


@check("BucketNotEmpty, BucketAlreadyOwnedByYou and InvalidBucketName have their statuses")
def _():
    put("occupant")
    refused("BucketNotEmpty", 409, s3.delete_bucket, Bucket=BUCKET)
    refused("BucketAlreadyOwnedByYou", 409, s3.create_bucket, Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "EU"})
    for name in ["a.b.c", "abc-", "xn--abc", "int", "cw-x", "Abc", "a_b"]:
        refused("InvalidBucketName", 400, s3.create_bucket, Bucket=name)


@check("SignatureDoesNotMatch and InvalidAccessKeyId distinguish a wrong secret from an unknown key")
def _():
    refused("SignatureDoesNotMatch", 403, new_client(aws_secret_access_key="wrong").list_buckets)
    refused("InvalidAccessKeyId", 403, new_client(aws_access_key_id="AKIAUNKNOWN").list_buckets)
    refused("InvalidToken", 400, new_client(aws_session_token="made up").list_buckets)
    refused("403", 403, new_client(aws_secret_access_key="wrong").head_bucket, Bucket=BUCKET)


@check("signatures for any region are accepted: auto, us-east-1, another")
def _():
    for region in ["auto", "us-east-1", "eu-west-3", "local"]:
        new_client(region_name=region).list_objects_v2(Bucket=BUCKET, MaxKeys=1)


@check("the endpoint may come from AWS_ENDPOINT_URL_S3", when=has_parameter("PutObject", "IfNoneMatch"))
def _():
    os.environ["AWS_ENDPOINT_URL_S3"] = SITE["endpoint"]
    try:
        new_client(endpoint_url=None).head_bucket(Bucket=BUCKET)
    finally:
        del os.environ["AWS_ENDPOINT_URL_S3"]


@check("a wrong expected owner is refused, the right one is not")
def _():
    s3.head_bucket(Bucket=BUCKET, ExpectedBucketOwner="000000000000")
    refused("AccessDenied", 403, s3.list_objects_v2, Bucket=BUCKET, ExpectedBucketOwner="111111111111")


@check("unsupported operations return NotImplemented and change nothing", when=not OVER_TLS)
def _():
    put("whole")
    refused("NotImplemented", 501, s3.get_object_torrent, Bucket=BUCKET, Key="whole")
    refused("NotImplemented", 501, s3.restore_object, Bucket=BUCKET, Key="whole", RestoreRequest={"Days": 1})
    refused("NotImplemented", 501, s3.list_bucket_analytics_configurations, Bucket=BUCKET)
    equal(s3.get_object(Bucket=BUCKET, Key="whole")["Body"].read(), b"x")
