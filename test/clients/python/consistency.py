# boto3: reads after acknowledged writes, and bulk deletions.
from concurrent.futures import ThreadPoolExecutor

from harness import BUCKET, OVER_TLS, check, equal, get, list_keys, put, refused, s3


@check("each of 200 overwrites is read back at once", when=not OVER_TLS)
def _():
    for turn in range(200):
        body = f"turn {turn}".encode()
        put("looped", body)
        equal(get("looped"), body)


@check("100 keys put by 10 writers are all listed at once")
def _():
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda key: put(f"written/{key}"), range(100)))
    equal(len(list_keys("written/")), 100)


@check("delete_objects deletes 1,000 keys at once and reports missing ones as deleted", when=not OVER_TLS)
def _():
    keys = [f"bulk/{number} <é>" for number in range(1000)]
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(put, keys[:300]))
    result = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in keys]})
    equal([deleted["Key"] for deleted in result["Deleted"]], keys)
    assert "Errors" not in result
    equal(list_keys("bulk/"), [])
    quiet = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True})
    assert "Deleted" not in quiet and "Errors" not in quiet
    many = [{"Key": str(number)} for number in range(1001)]
    refused("MalformedXML", 400, s3.delete_objects, Bucket=BUCKET, Delete={"Objects": many})


@check("an emptied bucket is deleted and is gone")
def _():
    keys = list_keys()
    s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True})
    s3.delete_bucket(Bucket=BUCKET)
    refused("404", 404, s3.head_bucket, Bucket=BUCKET)
