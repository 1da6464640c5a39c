"""The service's side of CloudFront's REST-XML: decodes requests to boto3's arguments, and encodes boto3's responses.

It follows botocore's service model, so an operation of the model needs no code here. It does not support flattened
lists, maps and XML attributes, because CloudFront's model does not use them.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.model import ServiceModel

NAMESPACE: Final = "http://cloudfront.amazonaws.com/doc/2020-05-31/"


@dataclass(frozen=True)
class HttpResponse:
    """An HTTP response; if `sent` is set, the connection is closed after that many bytes of the body."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    sent: int | None = None


@dataclass(frozen=True)
class _Route:
    operation: str
    method: str
    path: re.Pattern[str]
    query: Mapping[str, list[str]]
    literals: int


@dataclass(frozen=True)
class Routed:
    """The operation of a request, with the values in its path and its query."""

    operation: str
    labels: Mapping[str, str]
    query: Mapping[str, list[str]]


class Router:
    """Finds the operations of a service of the installed botocore.

    Attributes:
        model: The service model.
    """

    def __init__(self, service: str) -> None:
        # A session would read the environment, and a test may have set an older model there.
        self.model = ServiceModel(Loader().load_service_model(service, "service-2"), service)
        routes = (_route(self.model.operation_model(name)) for name in self.model.operation_names)
        # The most specific routes come first, because a fixed part of a path could also match a name.
        self._routes = sorted(routes, key=lambda route: (-len(route.query), -route.literals))

    def find(self, method: str, target: str) -> Routed:
        """Returns the operation of a request; the target is a path, or an absolute URL as a proxy receives it.

        Raises:
            ClientError: `UnknownOperation` if the model has no such operation.
        """
        url = urlsplit(target)
        query = parse_qs(url.query, keep_blank_values=True)
        for route in self._routes:
            match = route.path.fullmatch(url.path)
            if method == route.method and match and all(query.get(key) == value for key, value in route.query.items()):
                labels = {key: unquote(value) for key, value in match.groupdict().items()}
                return Routed(route.operation, labels, query)
        raise client_error("UnknownOperation", 404, f"{method} {url.path} is not an operation")


class Wire:
    """The service's side of the protocol for every operation of the installed service model."""

    def __init__(self) -> None:
        self._router = Router("cloudfront")
        self.model = self._router.model

    def decode(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> tuple[str, dict[str, Any]]:
        """Returns the operation of a request and the arguments that boto3 was called with.

        Raises:
            ClientError: `UnknownOperation` if the model has no such operation, `MalformedXML` if the body is not XML.
        """
        routed = self._router.find(method, target)
        shape = self.model.operation_model(routed.operation).input_shape
        if shape is None:
            return routed.operation, {}
        arguments, in_body = arguments_of_head(shape, routed, headers)
        payload = shape.serialization.get("payload")
        if payload and body:
            arguments[payload] = _parsed(shape.members[payload], _root(body))
        elif in_body and body:
            arguments |= _structure(in_body, _root(body))
        return routed.operation, arguments

    def encode(self, operation: str, response: Mapping[str, Any]) -> HttpResponse:
        """Returns the HTTP response that boto3 parses into this response."""
        model = self.model.operation_model(operation)
        status = int(model.http["responseCode"])
        if model.output_shape is None:
            return HttpResponse(status)
        headers = {}
        members, payload = dict(model.output_shape.members), model.output_shape.serialization.get("payload")
        for name in [name for name, member in members.items() if member.serialization.get("location") == "header"]:
            header = members.pop(name).serialization["name"]
            if name in response:
                # The model misspells UpdateFunction's ETag; the service does not.
                headers["ETag" if name == "ETag" else header] = str(response[name])
        if payload and members[payload].type_name == "blob":
            return HttpResponse(status, bytes(response[payload]), headers)
        if payload:
            root = _element(members[payload].name, members[payload], response.get(payload, {}), root=True)
        else:
            body = "".join(_children(members, response))
            root = f'<{operation}Result xmlns="{NAMESPACE}">{body}</{operation}Result>'
        return _xml(status, root, headers)

    def check_signature(self, headers: Mapping[str, str]) -> None:
        """Raises ClientError if the request is not signed."""
        if "authorization" not in headers:
            raise client_error("MissingAuthenticationToken", 403, "the request is not signed")

    def error(self, code: str, status: int, message: str, request_id: str) -> HttpResponse:
        """Returns the HTTP response that boto3 raises as ClientError."""
        kind = "Sender" if status < 500 else "Receiver"
        error = f"<Error><Type>{kind}</Type><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
        content = f"{error}<RequestId>{request_id}</RequestId>"
        return _xml(status, f'<ErrorResponse xmlns="{NAMESPACE}">{content}</ErrorResponse>', {})


@cache
def installed_wire() -> Wire:
    """Returns the protocol of the installed service model. Loading it is slow."""
    return Wire()


def client_error(code: str, status: int, message: str = "", operation: str = "", request_id: str = "") -> ClientError:
    """Returns the error that boto3 raises for an error response of CloudFront."""
    metadata: dict[str, Any] = {"HTTPStatusCode": status, **({"RequestId": request_id} if request_id else {})}
    return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}, operation)


def _xml(status: int, root: str, headers: Mapping[str, str]) -> HttpResponse:
    return HttpResponse(status, f'<?xml version="1.0"?>\n{root}'.encode(), {"Content-Type": "text/xml", **headers})


def _route(model: Any) -> _Route:
    url = urlsplit(model.http["requestUri"])
    parts = re.split(r"\{(\w+)\}", url.path)
    path = "".join(f"(?P<{part}>[^/]+)" if odd else re.escape(part) for odd, part in _alternating(parts))
    literals = sum(len(part) for odd, part in _alternating(parts) if not odd)
    return _Route(model.name, model.http["method"], re.compile(path), parse_qs(url.query), literals)


def _alternating(parts: Iterable[str]) -> Iterable[tuple[bool, str]]:
    return ((index % 2 == 1, part) for index, part in enumerate(parts))


def arguments_of_head(shape: Any, routed: Routed, headers: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the arguments in a request's path, query and headers, and the members of the body."""
    arguments: dict[str, Any] = {}
    in_body = {}
    for name, member in shape.members.items():
        wire_name = member.serialization.get("name", name)
        match member.serialization.get("location"):
            case "uri":
                arguments[name] = _scalar(member, routed.labels[wire_name])
            case "querystring" if wire_name in routed.query:
                arguments[name] = _scalar(member, routed.query[wire_name][0])
            case "header" if wire_name.lower() in headers:
                arguments[name] = _scalar(member, headers[wire_name.lower()])
            case None:
                in_body[name] = member
    return arguments, in_body


def _root(body: bytes) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(body)  # noqa: S314 (boto3 wrote it)
    except ElementTree.ParseError as error:
        raise client_error("MalformedXML", 400, f"the body is not XML: {error}") from error


def _parsed(shape: Any, element: ElementTree.Element) -> Any:
    match shape.type_name:
        case "structure":
            return _structure(shape.members, element)
        case "list":
            return [_parsed(shape.member, child) for child in element]
    return _scalar(shape, element.text or "")


def _structure(members: Mapping[str, Any], element: ElementTree.Element) -> dict[str, Any]:
    names = {member.serialization.get("name", name): name for name, member in members.items()}
    parsed = {}
    for child in element:
        name = names.get(child.tag.removeprefix(f"{{{NAMESPACE}}}"))
        if name is None:
            raise client_error("MalformedXML", 400, f"{element.tag} has no {child.tag}")
        parsed[name] = _parsed(members[name], child)
    return parsed


def _scalar(shape: Any, text: str) -> Any:
    match shape.type_name:
        case "integer" | "long":
            return int(text)
        case "float" | "double":
            return float(text)
        case "boolean":
            return text == "true"
        case "timestamp":
            return datetime.fromisoformat(text)
        case "blob":
            return base64.b64decode(text)
    return text


def _element(tag: str, shape: Any, value: Any, *, root: bool = False) -> str:
    match shape.type_name:
        case "structure":
            content = "".join(_children(shape.members, value))
        case "list":
            member_tag = shape.member.serialization.get("name", "member")
            content = "".join(_element(member_tag, shape.member, item) for item in value)
        case _:
            content = escape(_text(shape, value), {"\r": "&#13;"})
    return f'<{tag} xmlns="{NAMESPACE}">{content}</{tag}>' if root else f"<{tag}>{content}</{tag}>"


def _children(members: Mapping[str, Any], value: Mapping[str, Any]) -> Iterable[str]:
    for name, member in members.items():
        if name in value:
            yield _element(member.serialization.get("name", name), member, value[name])


def _text(shape: Any, value: Any) -> str:
    match shape.type_name:
        case "boolean":
            return "true" if value else "false"
        case "timestamp":
            return str(value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"))
        case "blob":
            return base64.b64encode(value).decode()
    return str(value)
