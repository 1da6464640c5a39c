"""The servicers. Each method validates its request, translates it, calls CloudFront and translates the response."""
