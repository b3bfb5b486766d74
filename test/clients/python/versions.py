# boto3: a bucket with versioning, which preserves every version until it is deleted.
import uuid

from harness import OVER_TLS, check, equal, refused, s3

VERSIONED = f"boto3-versions-{uuid.uuid4().hex[:10]}"
HERE = {"Bucket": VERSIONED, "Key": "key &+é"}

_ids = []


@check("versioning is off in a new bucket and can be enabled", when=not OVER_TLS)
def _():
    s3.create_bucket(Bucket=VERSIONED)
    assert "Status" not in s3.get_bucket_versioning(Bucket=VERSIONED)
    s3.put_bucket_versioning(Bucket=VERSIONED, VersioningConfiguration={"Status": "Enabled"})
    equal(s3.get_bucket_versioning(Bucket=VERSIONED)["Status"], "Enabled")


@check("two puts of a key are two versions, listed newest first and each read by its VersionId", when=not OVER_TLS)
def _():
    bodies = [b"one", b"two, longer"]
    _ids.extend(s3.put_object(**HERE, Body=body)["VersionId"] for body in bodies)
    listed = _listed("Versions")
    equal([(found["VersionId"], found["IsLatest"]) for found in listed], [(_ids[1], True), (_ids[0], False)])
    equal([found["Size"] for found in listed], [11, 3])
    for version, body in zip(_ids, bodies):
        found = s3.get_object(**HERE, VersionId=version)
        equal((found["VersionId"], found["Body"].read()), (version, body))
        equal(s3.head_object(**HERE, VersionId=version)["ContentLength"], len(body))
    equal(s3.get_object(**HERE)["VersionId"], _ids[1])


@check("a deletion hides the key behind a marker, and deleting the marker brings the key back", when=not OVER_TLS)
def _():
    deleted = s3.delete_object(**HERE)
    equal(deleted["DeleteMarker"], True)
    marker = deleted["VersionId"]
    equal([(found["VersionId"], found["IsLatest"]) for found in _listed("DeleteMarkers")], [(marker, True)])
    refused("NoSuchKey", 404, s3.get_object, **HERE)
    refused("405", 405, s3.head_object, **HERE, VersionId=marker)
    equal(s3.list_objects_v2(Bucket=VERSIONED)["KeyCount"], 0)
    equal(s3.get_object(**HERE, VersionId=_ids[0])["Body"].read(), b"one")
    equal(s3.delete_object(**HERE, VersionId=marker)["DeleteMarker"], True)
    equal(s3.get_object(**HERE)["Body"].read(), b"two, longer")
    equal(_listed("DeleteMarkers"), [])


@check("a copy of an old version becomes the newest, and a deleted version is purged", when=not OVER_TLS)
def _():
    restored = s3.copy_object(**HERE, CopySource={**HERE, "VersionId": _ids[0]})
    equal(restored["CopySourceVersionId"], _ids[0])
    equal(s3.get_object(**HERE)["Body"].read(), b"one")
    s3.delete_object(**HERE, VersionId=restored["VersionId"])
    equal(s3.get_object(**HERE)["Body"].read(), b"two, longer")
    refused("NoSuchVersion", 404, s3.get_object, **HERE, VersionId=restored["VersionId"])


@check("a bucket with versions is not empty until delete_objects has deleted every version", when=not OVER_TLS)
def _():
    s3.delete_object(**HERE)
    refused("BucketNotEmpty", 409, s3.delete_bucket, Bucket=VERSIONED)
    versions = [*_listed("Versions"), *_listed("DeleteMarkers")]
    equal(len(versions), 3)
    objects = [{"Key": found["Key"], "VersionId": found["VersionId"]} for found in versions]
    result = s3.delete_objects(Bucket=VERSIONED, Delete={"Objects": objects})
    equal({deleted["VersionId"] for deleted in result["Deleted"]}, {found["VersionId"] for found in versions})
    s3.delete_bucket(Bucket=VERSIONED)


def _listed(kind):
    return s3.list_object_versions(Bucket=VERSIONED, Prefix="key").get(kind, [])
