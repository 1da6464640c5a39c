"""The servicers. Each rpc validates its request, translates it, calls CloudFront and translates the response."""
