"""The `aws` resource plugin: types declared in `types`, typed by the SDK, executed by botocore."""
