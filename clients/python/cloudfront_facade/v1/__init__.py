"""Generated from protos/cloudfront_facade/v1 by `make proto`; see there for what each message means."""
