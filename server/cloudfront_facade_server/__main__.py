"""Makes `python -m cloudfront_facade_server` run the command `cloudfront-facade`."""

import sys

from cloudfront_facade._cli import main

if __name__ == "__main__":
    sys.exit(main())
