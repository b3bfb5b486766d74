# boto3: a bucket with Object Lock, its retentions and legal holds, over their whole life.
import datetime
import uuid

from harness import OVER_TLS, check, equal, refused, s3

LOCKED = f"boto3-locks-{uuid.uuid4().hex[:10]}"
PLAIN = f"boto3-unlocked-{uuid.uuid4().hex[:10]}"
FAR = datetime.datetime(2140, 1, 1, tzinfo=datetime.timezone.utc)
FARTHER = FAR + datetime.timedelta(days=2)
BYPASS = {"BypassGovernanceRetention": True}


def _put(key, **lock):
    return s3.put_object(Bucket=LOCKED, Key=key, Body=b"abc", **lock)["VersionId"]


def _default(**retention):
    return {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}}


@check("a bucket is created with Object Lock, and its default retention is set, read and validated", when=not OVER_TLS)
def _():
    s3.create_bucket(Bucket=LOCKED, ObjectLockEnabledForBucket=True)
    equal(s3.get_bucket_versioning(Bucket=LOCKED)["Status"], "Enabled")
    for configuration in (_default(Mode="COMPLIANCE", Years=1), _default(Mode="GOVERNANCE", Days=1)):
        s3.put_object_lock_configuration(Bucket=LOCKED, ObjectLockConfiguration=configuration)
        equal(s3.get_object_lock_configuration(Bucket=LOCKED)["ObjectLockConfiguration"], configuration)
    for code, retention in (
        ("InvalidRetentionPeriod", {"Mode": "GOVERNANCE", "Days": 0}),
        ("InvalidRetentionPeriod", {"Mode": "GOVERNANCE", "Years": -1}),
        ("MalformedXML", {"Mode": "GOVERNANCE", "Days": 1, "Years": 1}),
        ("MalformedXML", {"Mode": "abc", "Years": 1}),
    ):
        put = {"Bucket": LOCKED, "ObjectLockConfiguration": _default(**retention)}
        refused(code, 400, s3.put_object_lock_configuration, **put)
    suspended = {"Bucket": LOCKED, "VersioningConfiguration": {"Status": "Suspended"}}
    refused("InvalidBucketState", 409, s3.put_bucket_versioning, **suspended)
    s3.put_object_lock_configuration(Bucket=LOCKED, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})


@check("a bucket without Object Lock refuses locks, until versioning and then Object Lock are enabled", when=not OVER_TLS)
def _():
    s3.create_bucket(Bucket=PLAIN)
    s3.put_object(Bucket=PLAIN, Key="k", Body=b"abc")
    here = {"Bucket": PLAIN, "Key": "k"}
    retention = {"Mode": "GOVERNANCE", "RetainUntilDate": FAR}
    refused("ObjectLockConfigurationNotFoundError", 404, s3.get_object_lock_configuration, Bucket=PLAIN)
    refused("InvalidRequest", 400, s3.put_object_retention, **here, Retention=retention)
    refused("InvalidRequest", 400, s3.get_object_retention, **here)
    refused("InvalidRequest", 400, s3.put_object_legal_hold, **here, LegalHold={"Status": "ON"})
    refused("InvalidRequest", 400, s3.get_object_legal_hold, **here)
    configuration = {"Bucket": PLAIN, "ObjectLockConfiguration": _default(Mode="GOVERNANCE", Days=1)}
    refused("InvalidBucketState", 409, s3.put_object_lock_configuration, **configuration)
    s3.put_bucket_versioning(Bucket=PLAIN, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object_lock_configuration(**configuration)
    s3.put_object_retention(**here, Retention=retention)
    equal(s3.get_object_retention(**here)["Retention"], retention)


@check("a retention is set, extended, bypassed and obeyed by deletions", when=not OVER_TLS)
def _():
    here = {"Bucket": LOCKED, "Key": "governed"}
    version = _put("governed")
    refused("NoSuchObjectLockConfiguration", 404, s3.get_object_retention, **here)
    for date in (FAR, FARTHER):
        retention = {"Mode": "GOVERNANCE", "RetainUntilDate": date}
        s3.put_object_retention(**here, VersionId=version, Retention=retention)
        equal(s3.get_object_retention(**here)["Retention"], retention)
    shorter = {"Mode": "GOVERNANCE", "RetainUntilDate": FAR}
    refused("AccessDenied", 403, s3.put_object_retention, **here, Retention=shorter)
    s3.put_object_retention(**here, Retention=shorter, **BYPASS)
    refused("AccessDenied", 403, s3.delete_object, **here, VersionId=version)
    named = {"Bucket": LOCKED, "Delete": {"Objects": [{"Key": "governed", "VersionId": version}]}}
    equal([error["Code"] for error in s3.delete_objects(**named)["Errors"]], ["AccessDenied"])
    marker = s3.delete_object(**here)["VersionId"]
    s3.delete_object(**here, VersionId=marker)
    equal(s3.delete_object(**here, VersionId=version, **BYPASS)["VersionId"], version)
    invalid = {"Mode": "governance", "RetainUntilDate": FAR}
    _put("other")
    refused("MalformedXML", 400, s3.put_object_retention, Bucket=LOCKED, Key="other", Retention=invalid)


@check("GOVERNANCE becomes COMPLIANCE only with a bypass, and COMPLIANCE never changes", when=not OVER_TLS)
def _():
    here = {"Bucket": LOCKED, "Key": "changed"}
    _put("changed", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=FAR)
    compliance = {"Mode": "COMPLIANCE", "RetainUntilDate": FAR}
    refused("AccessDenied", 403, s3.put_object_retention, **here, Retention=compliance)
    s3.put_object_retention(**here, Retention=compliance, **BYPASS)
    governance = {"Mode": "GOVERNANCE", "RetainUntilDate": FARTHER}
    refused("AccessDenied", 403, s3.put_object_retention, **here, Retention=governance, **BYPASS)


@check("a legal hold is set, read, obeyed and lifted, and HEAD shows it with a retention", when=not OVER_TLS)
def _():
    here = {"Bucket": LOCKED, "Key": "held"}
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": FAR, "ObjectLockLegalHoldStatus": "ON"}
    version = _put("held", **lock)
    head = s3.head_object(**here)
    equal({name: head[name] for name in lock}, lock)
    equal(s3.get_object_legal_hold(**here)["LegalHold"], {"Status": "ON"})
    refused("AccessDenied", 403, s3.delete_object, **here, VersionId=version, **BYPASS)
    refused("MalformedXML", 400, s3.put_object_legal_hold, **here, LegalHold={"Status": "abc"})
    s3.put_object_legal_hold(**here, LegalHold={"Status": "OFF"})
    s3.delete_object(**here, VersionId=version, **BYPASS)


@check("a multipart object obeys the lock of its upload", when=not OVER_TLS)
def _():
    here = {"Bucket": LOCKED, "Key": "parts"}
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": FAR, "ObjectLockLegalHoldStatus": "ON"}
    upload = {**here, "UploadId": s3.create_multipart_upload(**here, **lock)["UploadId"]}
    etag = s3.upload_part(**upload, PartNumber=1, Body=b"abc")["ETag"]
    parts = {"Parts": [{"ETag": etag, "PartNumber": 1}]}
    version = s3.complete_multipart_upload(**upload, MultipartUpload=parts)["VersionId"]
    refused("AccessDenied", 403, s3.delete_object, **here, VersionId=version)
    s3.put_object_legal_hold(**here, LegalHold={"Status": "OFF"})
    refused("AccessDenied", 403, s3.delete_object, **here, VersionId=version)
    s3.delete_object(**here, VersionId=version, **BYPASS)
