# Runs boto3's checks in the order in which they are registered: the first makes the bucket that the last one deletes.
import objects  # noqa: F401
import listing  # noqa: F401
import conditions  # noqa: F401
import checksums  # noqa: F401
import parts  # noqa: F401
import presigned  # noqa: F401
import forms  # noqa: F401
import versions  # noqa: F401
import locks  # noqa: F401
import tags  # noqa: F401
import encryption  # noqa: F401
import identities  # noqa: F401
import rates  # noqa: F401
import errors  # noqa: F401
import consistency  # noqa: F401
from harness import run_all

run_all()
