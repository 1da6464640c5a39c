"""What tests share: doubles, running servers, data."""
