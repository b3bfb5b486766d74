// English texts of the page of health and the doctor.
export const health = {
  "nav.health": "Health",
  "health.title": "Health",
  "health.endpoint": "This endpoint",
  "health.bindings": "Bindings",
  "health.reached": "{name} is reached",
  "health.notReached": "{name} is not reached",
  "health.schema": "Newest migration",
  "health.lastRun": "Last step of a scheduled job",
  "health.database": "Database {name}",
  "health.databaseSize": "{size} of {limit}",
  "health.databaseFull": "It is almost full; writes fail at the limit. docs/scale.md says what to do.",
  "health.settings": "Settings",
  "health.settingsGood": "All values are valid.",
  "health.settingsBad": "These have invalid values: {names}",
  "doctor.title": "Doctor",
  "doctor.text":
    "Tries from this browser what breaks S3 behind a proxy or a zone's rules. It writes below one new prefix of the bucket, and deletes that. What only a program can send, npm run doctor tries.",
  "doctor.bucket": "Bucket",
  "doctor.noBucket": "Create a bucket first.",
  "doctor.run": "Run the checks",
  "doctor.good": "Good",
  "doctor.bad": "Broken",
  "doctor.paths": "A key with two slashes in a row keeps both.",
  "doctor.paths.remedy":
    "In the zone's Rules > Settings > Normalization, set incoming URLs to RFC-3986 or off, or use the workers.dev address.",
  "doctor.plus": "A key with plus, space, percent and accents arrives as it is.",
  "doctor.plus.remedy":
    "Something in front of the Worker decodes or rewrites addresses: turn that rule off for this host.",
  "doctor.etag": "An object's ETag arrives unchanged.",
  "doctor.etag.remedy":
    "Something in front of the Worker changes answers: turn off compression, minification and email obfuscation for this host.",
  "doctor.compression": "Answers arrive with their length, and not compressed.",
  "doctor.compression.remedy": "Add a compression rule that turns compression off for this host.",
  "doctor.head": "HEAD reports the length.",
  "doctor.head.remedy":
    "Something in front of the Worker drops Content-Length of HEAD: turn compression off for this host.",
  "doctor.range": "A range of an object can be read.",
  "doctor.range.remedy": "Something in front of the Worker drops Range: let this host bypass its cache.",
  "doctor.conditions": "An upload that must not replace an object is refused.",
  "doctor.conditions.remedy":
    "Something in front of the Worker drops If-None-Match: turn off rules that change request headers.",
  "doctor.cache": "A read after a write shows what was written.",
  "doctor.cache.remedy":
    "A cache in front of the Worker keeps answers: add a cache rule that bypasses it for this host.",
  "doctor.size": "A body of 8 MiB is accepted.",
  "doctor.size.remedy": "Something in front of the Worker limits bodies: raise the limit, or upload in smaller parts.",
} as const;
