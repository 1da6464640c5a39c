"""A stand-in for AWS STS, at its real addresses: a proxy leads to a server on loopback that lets roles be assumed."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Final, Self
from urllib.parse import parse_qs

from ..tls_proxy import TlsProxy
from .server import LoopbackServer, Reply
from .wire import HttpResponse, installed_wire

_NAMESPACE: Final = "https://sts.amazonaws.com/doc/2011-06-15/"


class StsDouble:
    """Assumes every role; the access key of the nth role session is ASIAn.

    Attributes:
        variables: The environment that leads to it, whichever endpoint of STS is asked.
        hosts: The host of each connection.
        requests: The parameters of each request, with its header `authorization`.
        lifetime: How long the next credentials are valid.
        rejection: The AWS code with which to reject the requests; empty to assume roles.
    """

    def __init__(self) -> None:
        self.requests: list[dict[str, str]] = []
        self.lifetime = timedelta(hours=1)
        self.rejection = ""
        self._lock = threading.Lock()
        self._server = LoopbackServer(self._respond)
        self._proxy = TlsProxy(self._server.server_port)
        self.variables, self.hosts = self._proxy.variables, self._proxy.hosts

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.end()
        self._proxy.end()

    def _respond(self, _method: str, _path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        sent = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        with self._lock:
            self.requests.append({**sent, "authorization": headers.get("authorization", "")})
            number = len(self.requests)
        if self.rejection:
            secret = "User: arn:aws:sts::123456789012:user/x is not authorized"
            return Reply(installed_wire().error(self.rejection, 403, secret, "a-request"), {})
        expiry = (datetime.now(UTC) + self.lifetime).isoformat()
        action = sent["Action"]
        body_text = (
            f'<{action}Response xmlns="{_NAMESPACE}"><{action}Result><Credentials>'
            f"<AccessKeyId>ASIA{number}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
            f"<SessionToken>token-{number}</SessionToken><Expiration>{expiry}</Expiration></Credentials>"
            f"<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/edge/s</Arn><AssumedRoleId>A:s</AssumedRoleId>"
            f"</AssumedRoleUser></{action}Result></{action}Response>"
        )
        return Reply(HttpResponse(200, body_text.encode(), {"Content-Type": "text/xml"}), {})
