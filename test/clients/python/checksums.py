# boto3: the checksum algorithms. Values of those that need a library are precomputed.
from harness import BUCKET, check, equal, get, has_parameter, put, refused, s3

BODY = b"123456789"
VALUES = {
    "CRC32": "y/Q5Jg==",
    "CRC32C": "4waSgw==",
    "CRC64NVME": "rosUhgp5mIg=",
    "MD5": "JfnnlDI7RTiF9RgfG2JNCw==",
    "SHA1": "98O8HYCOBHMq32eZZczDTKeuNEE=",
    "SHA256": "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
    "SHA512": "2eZ2LdHI6vbWGzxhkvxAjU1tXxF20MKRabwk5xw/J0rSf81YEbMT1oH35V7ALXPUmclUVba1u1A6z1dPuo/+hQ==",
    "XXHASH128": "MxGUd+3l3NXpcWQnaB1YYA==",
    "XXHASH3": "ctyxi2ehff8=",
    "XXHASH64": "jLhB20DmroM=",
}


def _algorithm_check(algorithm, value):
    field = f"Checksum{algorithm}"

    @check(
        f"{algorithm} is verified, stored, shown, and refused when wrong",
        when=has_parameter("PutObject", field),
    )
    def _():
        key = f"checksum-{algorithm}"
        equal(put(key, BODY, **{field: value})[field], value)
        head = s3.head_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")
        equal(head[field], value)
        equal(get(key, ChecksumMode="ENABLED"), BODY)
        refused("BadDigest", 400, put, f"{key}-wrong", b"987654321", **{field: value})
        refused("404", 404, s3.head_object, Bucket=BUCKET, Key=f"{key}-wrong")
        refused("BadDigest", 400, put, key, b"987654321", **{field: value})
        equal(get(key), BODY)
        refused("InvalidRequest", 400, put, key, BODY, **{field: "bm9uZQ="})
        if algorithm in ["CRC32", "SHA1", "SHA256", "SHA512"]:
            equal(put(f"{key}-computed", BODY, ChecksumAlgorithm=algorithm)[field], value)


for _algorithm, _value in VALUES.items():
    _algorithm_check(_algorithm, _value)


@check("Content-MD5 is verified")
def _():
    put("md5", BODY, ContentMD5="JfnnlDI7RTiF9RgfG2JNCw==")
    refused("BadDigest", 400, put, "md5-wrong", b"other", ContentMD5="JfnnlDI7RTiF9RgfG2JNCw==")
    refused("InvalidDigest", 400, put, "md5-wrong", b"other", ContentMD5="bm9uZQ==")
    refused("404", 404, s3.head_object, Bucket=BUCKET, Key="md5-wrong")
