# boto3: objects encrypted with a key that the client provides (SSE-C).
import hashlib
import os

from harness import BUCKET, SITE, check, equal, has_parameter, put, refused, s3

KEY, OTHER = os.urandom(32), os.urandom(32)
WITH_KEY = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": KEY}
WITH_OTHER = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": OTHER}
FROM_KEY = {f"CopySource{name}": value for name, value in WITH_KEY.items()}


@check("an object with SSECustomerKey is put, headed and read in ranges with that key only")
def _():
    here = {"Bucket": BUCKET, "Key": "sealed/small"}
    result = put("sealed/small", b"0123456789", Metadata={"color": "blue"}, **WITH_KEY)
    equal(result["SSECustomerAlgorithm"], "AES256")
    assert result["ETag"] != f'"{hashlib.md5(b"0123456789").hexdigest()}"', "the ETag reveals the content"
    head = s3.head_object(**here, **WITH_KEY)
    equal((head["ContentLength"], head["Metadata"], head["ETag"]), (10, {"color": "blue"}, result["ETag"]))
    equal(s3.get_object(**here, **WITH_KEY, Range="bytes=3-5")["Body"].read(), b"345")
    refused("InvalidRequest", 400, s3.get_object, **here)
    refused("400", 400, s3.head_object, **here)
    refused("AccessDenied", 403, s3.get_object, **here, **WITH_OTHER)
    put("sealed/plain", b"x")
    refused("InvalidRequest", 400, s3.get_object, Bucket=BUCKET, Key="sealed/plain", **WITH_KEY)


@check("upload_file and download_file transfer 25 MB with SSECustomerKey, in parts and in ranges")
def _():
    s3.upload_file(SITE["medium"]["file"], BUCKET, "sealed/parts", ExtraArgs=WITH_KEY)
    target = os.path.join(SITE["scratch"], "unsealed")
    s3.download_file(BUCKET, "sealed/parts", target, ExtraArgs=WITH_KEY)
    equal(_hash(target), SITE["medium"]["sha256"])
    assert s3.head_object(Bucket=BUCKET, Key="sealed/parts", **WITH_KEY)["ETag"].endswith('-3"')


@check("copies change or remove the key, and need the source's")
def _():
    source = {"Bucket": BUCKET, "Key": "sealed/small"}
    s3.copy_object(Bucket=BUCKET, Key="sealed/other", CopySource=source, **FROM_KEY, **WITH_OTHER)
    equal(s3.get_object(Bucket=BUCKET, Key="sealed/other", **WITH_OTHER)["Body"].read(), b"0123456789")
    s3.copy_object(Bucket=BUCKET, Key="sealed/open", CopySource=source, **FROM_KEY)
    equal(s3.get_object(Bucket=BUCKET, Key="sealed/open")["Body"].read(), b"0123456789")
    refused("InvalidRequest", 400, s3.copy_object, Bucket=BUCKET, Key="sealed/never", CopySource=source)


@check(
    "checksums of what is encrypted are those of what was put",
    when=has_parameter("PutObject", "ChecksumCRC64NVME"),
)
def _():
    put("sealed/sum", b"123456789", ChecksumAlgorithm="CRC32", **WITH_KEY)
    found = s3.head_object(Bucket=BUCKET, Key="sealed/sum", ChecksumMode="ENABLED", **WITH_KEY)
    equal(found["ChecksumCRC32"], "y/Q5Jg==")


def _hash(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()
