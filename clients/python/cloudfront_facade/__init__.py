"""The client of CloudFront Facade."""
