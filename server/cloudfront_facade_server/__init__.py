"""The server of CloudFront Facade."""
