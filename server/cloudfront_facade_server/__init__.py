"""The server of CloudFront Facade."""

import os
from typing import Final

PARENT: Final = os.getppid()
"""The parent process at the first statement, before the imports, which take a second."""
