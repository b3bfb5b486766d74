# A register of named checks, the site they run at, and boto3's client. Prints each outcome as one line of JSON, which
# the TypeScript side reads.
import json
import os
import subprocess
import sys
import time
import uuid

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

with open(sys.argv[1], encoding="utf-8") as file:
    SITE = json.load(file)

OVER_TLS = SITE["endpoint"].startswith("https:")
BUCKET = f"boto3-{uuid.uuid4().hex[:10]}"
# The size from which boto3 uses multipart uploads by default.
ONE_REQUEST = TransferConfig(multipart_threshold=5 * 1024**3)

CHECK_FILES = {name for name in os.listdir(os.path.dirname(__file__)) if name not in ("harness.py", "run.py")}

_checks = []


def new_client(**changed):
    """boto3's client as people configure it; it does not retry, so that every answer is seen."""
    settings = {
        "endpoint_url": SITE["endpoint"],
        "region_name": SITE["region"],
        "aws_access_key_id": SITE["accessKeyId"],
        "aws_secret_access_key": SITE["secretAccessKey"],
        "verify": SITE["caFile"],
        "config": Config(
            signature_version="s3v4", retries={"total_max_attempts": 1}, max_pool_connections=32
        ),
    }
    return boto3.client("s3", **{**settings, **changed})


s3 = new_client()


def has_parameter(operation, name):
    """Whether this version of boto3 knows an operation's parameter."""
    return name in s3.meta.service_model.operation_model(operation).input_shape.members


# boto3 sends a checksum in a trailer only over TLS, since the version that added CRC64NVME.
SENDS_TRAILERS = OVER_TLS and has_parameter("PutObject", "ChecksumCRC64NVME")


def check(name, when=True):
    """Registers a check; one that this version of boto3 has no means for is left out."""

    def register(function):
        if when:
            _checks.append((name, function))
        return function

    return register


def run_all():
    for name, function in _checks:
        start = time.monotonic()
        try:
            function()
            outcome = {"name": name, "passed": True}
        except Exception as error:  # any exception is the outcome
            reason = f"{type(error).__name__}: {error}"
            outcome = {"name": name, "passed": False, "reason": reason + where(error)}
        outcome["seconds"] = time.monotonic() - start
        print(json.dumps(outcome), flush=True)
    print(json.dumps({"finished": len(_checks)}), flush=True)


def where(error):
    """The line of the check that failed."""
    trace = error.__traceback__
    lines = []
    while trace is not None:
        file = os.path.basename(trace.tb_frame.f_code.co_filename)
        if file in CHECK_FILES:
            lines.append(f"{file}:{trace.tb_lineno}")
        trace = trace.tb_next
    return f" ({lines[-1]})" if lines else ""


def equal(actual, expected, about=""):
    assert actual == expected, f"{about} {short(actual)} is not {short(expected)}"


def short(value):
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:300]}… ({len(text)} characters)"


def refused(code, status, call, *arguments, **parameters):
    """Asserts that a call fails with a code and a message; returns the error."""
    try:
        call(*arguments, **parameters)
    except ClientError as error:
        details = error.response["Error"]
        equal(details["Code"], code, details.get("Message"))
        equal(error.response["ResponseMetadata"]["HTTPStatusCode"], status)
        # HEAD and 304 have no body with a message; boto3 derives one from the status.
        assert details.get("Message"), f"{code} has no message"
        return details
    raise AssertionError(f"{call.__name__} was not refused")


def put(key, body=b"x", **more):
    return s3.put_object(Bucket=BUCKET, Key=key, Body=body, **more)


def get(key, **more):
    return s3.get_object(Bucket=BUCKET, Key=key, **more)["Body"].read()


def list_keys(prefix="", bucket=BUCKET):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [found["Key"] for page in pages for found in page.get("Contents", [])]


def curl(url, *options):
    """Uses a URL as any recipient does; returns the status and the body."""
    command = ["/usr/bin/curl", "-sS", "--globoff", "--path-as-is", "--cacert", SITE["caFile"], "-w", "\n%{http_code}"]
    done = subprocess.run([*command, *options, url], capture_output=True, timeout=60, check=True)
    body, _, status = done.stdout.rpartition(b"\n")
    return int(status), body
