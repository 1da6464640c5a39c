"""The rpcs: each one validates, translates, acts and translates back."""
