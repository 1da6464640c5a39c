"""Starts nginx as a stand-in for CloudFront: it returns CreateFunction's response, immediately or after a delay."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .messages import COMMENT, NAME
from .process import CLIENT_CORES, Process, free_address

DELAY_SECONDS: Final = 0.150
"""The delay of the slow URL."""

ECHO_MODULE: Final = Path("/usr/lib/nginx/modules/ngx_http_echo_module.so")
"""The echo module of Debian's nginx. It can delay a response."""

_BODY: Final = (
    '<?xml version="1.0"?>'
    '<FunctionSummary xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">'
    f"<Name>{NAME}</Name><Status>UNPUBLISHED</Status>"
    f"<FunctionConfig><Comment>{COMMENT}</Comment><Runtime>cloudfront-js-2.0</Runtime></FunctionConfig>"
    f"<FunctionMetadata><FunctionARN>arn:aws:cloudfront::123456789012:function/{NAME}</FunctionARN>"
    "<Stage>DEVELOPMENT</Stage><CreatedTime>2026-05-05T12:30:15.123Z</CreatedTime>"
    "<LastModifiedTime>2026-05-05T12:30:15.123Z</LastModifiedTime></FunctionMetadata>"
    "</FunctionSummary>"
)

_CONFIG: Final = """
load_module {module};
daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  client_body_buffer_size 64k;
  client_body_temp_path body; proxy_temp_path proxy;
  fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  default_type text/xml;
  add_header ETag ETVPDKIKX0DER always;
  add_header Location https://cloudfront.amazonaws.com/2020-05-31/function/{name} always;
  add_header x-amzn-RequestId 4c0f6a1e-7f8b-4f6d-a9d1-1f9d0a3a6c11 always;
  server {{ listen {fast}; location / {{ return 201 '{body}'; }} }}
  server {{
    listen {slow} backlog=4096;
    location / {{ echo_status 201; echo_read_request_body; echo_sleep {delay}; echo -n '{body}'; }}
  }}
}}
"""


@dataclass(frozen=True)
class Upstream:
    """A running nginx.

    Attributes:
        process: The nginx process; there are no workers.
        fast: The URL that responds immediately.
        slow: The URL that responds after DELAY_SECONDS.
    """

    process: Process
    fast: str
    slow: str


def start(folder: Path) -> Upstream:
    """Starts nginx on free ports, with its files in a folder."""
    fast, slow = free_address(), free_address()
    (folder / "nginx.conf").write_text(
        _CONFIG.format(module=ECHO_MODULE, name=NAME, fast=fast, slow=slow, body=_BODY, delay=DELAY_SECONDS)
    )
    process = Process(["nginx", "-p", str(folder), "-c", "nginx.conf"], CLIENT_CORES, folder / "nginx.log")
    process.wait_until_listening(fast)
    return Upstream(process, f"http://{fast}", f"http://{slow}")
