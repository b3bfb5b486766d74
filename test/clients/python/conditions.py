# boto3: conditional reads and writes. Older versions support only conditional reads.
import datetime
from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import ClientError
from harness import BUCKET, OVER_TLS, check, equal, get, has_parameter, put, refused, s3

WRITES = has_parameter("PutObject", "IfNoneMatch") and has_parameter("PutObject", "IfMatch")
RIVALS = 20


@check("conditions of GET and HEAD answer 304 and 412")
def _():
    etag = put("condition", b"text")["ETag"]
    hour_ago = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
    for read in [s3.get_object, s3.head_object]:

        def conditional(**parameters):
            return read(Bucket=BUCKET, Key="condition", **parameters)

        conditional(IfMatch=etag)
        conditional(IfMatch=etag.strip('"'))
        conditional(IfNoneMatch='"no"')
        conditional(IfModifiedSince=hour_ago)
        for parameters, status in [
            ({"IfNoneMatch": etag}, 304),
            ({"IfMatch": '"no"'}, 412),
            ({"IfUnmodifiedSince": hour_ago}, 412),
        ]:
            try:
                conditional(**parameters)
                raise AssertionError(f"{parameters} was not refused")
            except ClientError as error:
                equal(error.response["ResponseMetadata"]["HTTPStatusCode"], status)


@check("a PUT with If-None-Match: * succeeds only if the key has no object", when=WRITES)
def _():
    put("once-only", b"1", IfNoneMatch="*")
    refused("PreconditionFailed", 412, put, "once-only", b"2", IfNoneMatch="*")
    equal(get("once-only"), b"1")
    s3.delete_object(Bucket=BUCKET, Key="once-only")
    put("once-only", b"3", IfNoneMatch="*")


@check("a PUT with If-Match succeeds only if the current ETag matches", when=WRITES)
def _():
    etag = put("matched", b"1")["ETag"]
    refused("PreconditionFailed", 412, put, "matched", b"2", IfMatch='"0123"')
    put("matched", b"2", IfMatch=etag)
    refused("PreconditionFailed", 412, put, "matched", b"3", IfMatch=etag)
    refused("NoSuchKey", 404, put, "matched-never", b"3", IfMatch=etag)


@check("exactly one of 20 concurrent PUTs with If-None-Match: * succeeds", when=WRITES)
def _():
    def attempt(rival):
        try:
            put("race", str(rival).encode(), IfNoneMatch="*")
            return 200
        except ClientError as error:
            return error.response["Error"]["Code"]

    with ThreadPoolExecutor(RIVALS) as pool:
        outcomes = list(pool.map(attempt, range(RIVALS)))
    equal(outcomes.count(200), 1, outcomes)
    assert set(outcomes) <= {200, "PreconditionFailed", "ConditionalRequestConflict"}, outcomes


@check("20 workers that count up through If-Match lose no increment", when=WRITES and not OVER_TLS)
def _():
    put("counter", b"0")

    def increment(_):
        while True:
            found = s3.get_object(Bucket=BUCKET, Key="counter")
            count = int(found["Body"].read())
            try:
                return put("counter", str(count + 1).encode(), IfMatch=found["ETag"])
            except ClientError as error:
                assert error.response["Error"]["Code"] in ["PreconditionFailed", "ConditionalRequestConflict"], error

    with ThreadPoolExecutor(RIVALS) as pool:
        list(pool.map(increment, range(RIVALS)))
    equal(get("counter"), str(RIVALS).encode())
