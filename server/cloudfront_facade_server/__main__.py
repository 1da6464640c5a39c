"""`python -m cloudfront_facade_server`, the same as the command `cloudfront-facade`."""

import sys

from cloudfront_facade._cli import main

if __name__ == "__main__":
    sys.exit(main())
