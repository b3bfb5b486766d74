# boto3: buckets, objects, bodies, keys, metadata, ranges.
import datetime
import hashlib
import io
import uuid

from botocore.config import Config
from harness import (
    BUCKET,
    ONE_REQUEST,
    OVER_TLS,
    SENDS_TRAILERS,
    SITE,
    check,
    equal,
    get,
    list_keys,
    new_client,
    put,
    refused,
    s3,
)


@check("a new bucket is in the list of buckets, has a location and answers HEAD")
def _():
    s3.create_bucket(Bucket=BUCKET)
    assert BUCKET in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    s3.head_bucket(Bucket=BUCKET)
    equal(s3.get_bucket_location(Bucket=BUCKET)["LocationConstraint"], SITE["region"])


@check("a bucket keeps the location that it was created with")
def _():
    name = f"boto3-{uuid.uuid4().hex[:10]}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    equal(s3.get_bucket_location(Bucket=name)["LocationConstraint"], "eu-central-1")
    s3.delete_bucket(Bucket=name)
    refused("404", 404, s3.head_bucket, Bucket=name)


@check("an object is put, read, overwritten, read again and deleted")
def _():
    first = put("life", b"one")
    equal(first["ETag"], f'"{hashlib.md5(b"one").hexdigest()}"')
    equal(get("life"), b"one")
    put("life", b"two, longer")
    equal(get("life"), b"two, longer")
    head = s3.head_object(Bucket=BUCKET, Key="life")
    equal(head["ContentLength"], 11)
    age = datetime.datetime.now(datetime.timezone.utc) - head["LastModified"]
    assert abs(age.total_seconds()) < 60
    s3.delete_object(Bucket=BUCKET, Key="life")
    refused("404", 404, s3.head_object, Bucket=BUCKET, Key="life")
    refused("NoSuchKey", 404, get, "life")
    s3.delete_object(Bucket=BUCKET, Key="life")


def _body_check(body):
    @check(f"a file of {body['label']} comes back byte for byte, with its MD5 for an ETag")
    def _():
        with open(body["file"], "rb") as file:
            answer = put("body", file)
        equal(answer["ETag"], f'"{body["md5"]}"')
        found = s3.get_object(Bucket=BUCKET, Key="body")
        equal(found["ContentLength"], body["size"])
        assert not found.get("ContentEncoding"), found.get("ContentEncoding")
        equal(_hash(found["Body"]), body["sha256"])
        equal(s3.head_object(Bucket=BUCKET, Key="body")["ContentLength"], body["size"])


for _one in [*SITE["bodies"], SITE["mebibyte"]]:
    _body_check(_one)


@check("a file of 100 MB is uploaded in one request and downloaded in parallel ranges")
def _():
    body = SITE["large"]
    s3.upload_file(body["file"], BUCKET, "large", Config=ONE_REQUEST)
    equal(s3.head_object(Bucket=BUCKET, Key="large")["ContentLength"], body["size"])
    # In parts of 8 MiB, each a GET with a Range.
    target = f"{SITE['scratch']}/{uuid.uuid4().hex}"
    s3.download_file(BUCKET, "large", target)
    with open(target, "rb") as file:
        equal(_hash(file), body["sha256"])


@check("a PUT over TLS is chunked, without Content-Length and with a checksum in its trailer", when=SENDS_TRAILERS)
def _():
    sent = []

    def record(request, **_):
        sent.append({name.lower(): value for name, value in request.headers.items()})

    s3.meta.events.register("before-send.s3.PutObject", record)
    for text in [b"", b"text"]:
        put("trailed", text)
        equal(get("trailed"), text)
    s3.meta.events.unregister("before-send.s3.PutObject", record)
    for headers in sent:
        equal(_text(headers["x-amz-content-sha256"]), "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
        equal(_text(headers["x-amz-trailer"]), "x-amz-checksum-crc32")
        equal(_text(headers["transfer-encoding"]), "chunked")
        assert "content-length" not in headers


@check("a stream that cannot be read twice is put over TLS, where no hash precedes the body", when=SENDS_TRAILERS)
def _():
    class Once(io.RawIOBase):
        """1,000 bytes that come in sevens and are gone once read."""

        left = 1000

        def readable(self):
            return True

        def seekable(self):
            return False

        def read(self, size=-1):
            taken = min(7 if size < 0 else size, 7, self.left)
            self.left -= taken
            return b"s" * taken

        def __len__(self):
            return 1000

    put("once", Once(), ContentLength=1000)
    equal(get("once"), b"s" * 1000)


def _odd_keys(keys):
    bucket = f"boto3-{uuid.uuid4().hex[:10]}"
    s3.create_bucket(Bucket=bucket)
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=f"the object {key!r}".encode())
    ordered = sorted(keys, key=lambda key: key.encode())
    equal(list_keys(bucket=bucket), ordered)
    for key in keys:
        expected = f"the object {key!r}".encode()
        equal(s3.get_object(Bucket=bucket, Key=key)["Body"].read(), expected)
        equal(s3.head_object(Bucket=bucket, Key=key)["ContentLength"], len(expected))
        assert key in list_keys(key, bucket), f"listing the prefix {key!r}"
    for key in keys:
        s3.delete_object(Bucket=bucket, Key=key)
        ordered.remove(key)
        equal(list_keys(bucket=bucket), ordered, f"after the deletion of {key!r}")
    s3.delete_bucket(Bucket=bucket)


@check("every odd key addresses one object in PUT, GET, HEAD, lists and DELETE", when=not OVER_TLS)
def _():
    _odd_keys(SITE["oddKeys"])


@check("keys with control characters are listed and address one object each", when=not OVER_TLS)
def _():
    _odd_keys(SITE["unprintableKeys"])


@check("system metadata and user metadata are returned unchanged")
def _():
    system = {
        "CacheControl": "max-age=60, public",
        "ContentDisposition": 'attachment; filename="a b.txt"',
        "ContentEncoding": "gzip",
        "ContentLanguage": "de, en",
        "ContentType": "text/plain; charset=utf-8",
    }
    expires = datetime.datetime(2030, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
    metadata = {"color": "blue", "build-sha": "4f2a9", "empty": "", "Upper": "Case"}
    put("described", b"not really gzip", Expires=expires, Metadata=metadata, **system)
    for answer in [s3.get_object(Bucket=BUCKET, Key="described"), s3.head_object(Bucket=BUCKET, Key="described")]:
        for name, value in system.items():
            equal(answer[name], value, name)
        equal(answer["Expires"], expires)
        equal(answer["Metadata"], {"color": "blue", "build-sha": "4f2a9", "empty": "", "upper": "Case"})
    equal(get("described"), b"not really gzip")


@check("compressible objects keep their length, with any Accept-Encoding")
def _():
    text = b"a" * 100_000
    for content_type in ["text/plain", "application/json", "text/html", "application/octet-stream"]:
        put("compressible", text, ContentType=content_type)
        found = s3.get_object(Bucket=BUCKET, Key="compressible")
        equal(found["ContentLength"], len(text), content_type)
        assert "ContentEncoding" not in found
        equal(found["Body"].read(), text)
        equal(s3.head_object(Bucket=BUCKET, Key="compressible")["ContentLength"], len(text))


@check("ranges at the start, in the middle, at the end and past it return their bytes or 416")
def _():
    put("ranged", b"0123456789")
    for asked, expected in [
        ("bytes=0-0", b"0"),
        ("bytes=2-4", b"234"),
        ("bytes=7-", b"789"),
        ("bytes=-3", b"789"),
        ("bytes=8-99", b"89"),
    ]:
        found = s3.get_object(Bucket=BUCKET, Key="ranged", Range=asked)
        equal(found["ResponseMetadata"]["HTTPStatusCode"], 206)
        equal(found["Body"].read(), expected)
    equal(get("ranged", Range="bytes=5-2"), b"0123456789")
    refused("InvalidRange", 416, get, "ranged", Range="bytes=10-")
    refused("416", 416, s3.head_object, Bucket=BUCKET, Key="ranged", Range="bytes=10-")


@check("on one connection, each answer belongs to its request, for any sizes of bodies", when=not OVER_TLS)
def _():
    config = Config(max_pool_connections=1, retries={"total_max_attempts": 1})
    client = new_client(config=config)
    for size in [0, 1, 0, 0, 100_000, 0, 1]:
        body = b"b" * size
        found = client.put_object(Bucket=BUCKET, Key="connected", Body=body)
        equal(found["ETag"], f'"{hashlib.md5(body).hexdigest()}"')
        refused("NoSuchBucket", 404, client.put_object, Bucket=f"{BUCKET}-none", Key="connected", Body=body)
        found = client.put_object(Bucket=BUCKET, Key="connected", Body=body)
        equal(found["ResponseMetadata"]["HTTPStatusCode"], 200)


@check("private ACLs are accepted, others are refused")
def _():
    for acl in ["private", "bucket-owner-full-control"]:
        put("owned", ACL=acl)
    refused("AccessControlListNotSupported", 400, put, "shared", ACL="public-read")


def _text(value):
    return value.decode() if isinstance(value, bytes) else value


def _hash(stream):
    digest = hashlib.sha256()
    for piece in iter(lambda: stream.read(1024 * 1024), b""):
        digest.update(piece)
    return digest.hexdigest()
