# boto3: both versions of listing, over the bucket of 2,500 objects. boto3 asks for encoding-type=url by itself.
from harness import OVER_TLS, SITE, check, equal, refused, s3

LISTED = SITE["listingBucket"]
KEYS = SITE["listingKeys"]


def _all_keys(operation, **parameters):
    pages = s3.get_paginator(operation).paginate(Bucket=LISTED, **parameters)
    return [found["Key"] for page in pages for found in page.get("Contents", [])]


@check("list_objects_v2 pages through 2,500 keys in UTF-8 order")
def _():
    equal(_all_keys("list_objects_v2"), KEYS)
    equal(_all_keys("list_objects_v2", Prefix="flat/00", PaginationConfig={"PageSize": 9}), KEYS[:100])


@check("list_objects pages through 2,500 keys, with and without a delimiter", when=not OVER_TLS)
def _():
    equal(_all_keys("list_objects"), KEYS)
    pages = s3.get_paginator("list_objects").paginate(
        Bucket=LISTED, Prefix="tree/", Delimiter="/", PaginationConfig={"PageSize": 70}
    )
    trees = [found["Prefix"] for page in pages for found in page.get("CommonPrefixes", [])]
    equal(trees, [key[: -len("leaf")] for key in KEYS if key.startswith("tree/")])


@check("a delimiter rolls keys up over pages", when=not OVER_TLS)
def _():
    top = s3.list_objects_v2(Bucket=LISTED, Delimiter="/")
    equal([found["Prefix"] for found in top["CommonPrefixes"]], ["flat/", "tree/", 'wörds & "more"+=/'])
    assert "Contents" not in top
    equal(top["KeyCount"], 3)
    pages = list(
        s3.get_paginator("list_objects_v2").paginate(
            Bucket=LISTED, Prefix="tree/", Delimiter="/", PaginationConfig={"PageSize": 70}
        )
    )
    equal([page["KeyCount"] for page in pages], [70, 70, 70, 70, 20])
    equal(len({found["Prefix"] for page in pages for found in page["CommonPrefixes"]}), 300)


@check("prefixes and delimiters of odd characters are returned decoded", when=not OVER_TLS)
def _():
    page = s3.list_objects_v2(Bucket=LISTED, Prefix='wörds & "more"+=/00', Delimiter=" ü")
    equal(page["Prefix"], 'wörds & "more"+=/00')
    equal(page["Delimiter"], " ü")
    equal(len(page["CommonPrefixes"]), 100)
    equal(page["CommonPrefixes"][7]["Prefix"], 'wörds & "more"+=/0007 ü')


@check("start-after, max-keys and fetch-owner are obeyed", when=not OVER_TLS)
def _():
    page = s3.list_objects_v2(Bucket=LISTED, StartAfter="flat/1998", MaxKeys=2, FetchOwner=True)
    equal([found["Key"] for found in page["Contents"]], ["flat/1999", "tree/0000/leaf"])
    equal(page["IsTruncated"], True)
    assert page["Contents"][0]["Owner"]["ID"]
    equal(s3.list_objects_v2(Bucket=LISTED, MaxKeys=0)["KeyCount"], 0)
    refused("InvalidArgument", 400, s3.list_objects_v2, Bucket=LISTED, MaxKeys=-1)
    refused("InvalidArgument", 400, s3.list_objects_v2, Bucket=LISTED, ContinuationToken="made up")
