"""An HTTP double of CloudFront and its KeyValueStore data plane, for tests."""
