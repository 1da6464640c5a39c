"""The server ships the whole contract: every file with its imports, JSON names and comments."""

from __future__ import annotations

from google.protobuf import descriptor_pool

from protos.descriptors import LONG_POLL, LONG_RUNNING, NOT_REPEATABLE, PACKAGE, PROTOS, comment, comments, files
from support.rpcs import RPCS


def test_the_descriptor_set_has_every_proto_file_and_the_error_details() -> None:
    project_files = {path.relative_to(PROTOS).as_posix() for path in PROTOS.rglob("*.proto")}
    assert project_files == {name for name, file in files().items() if file.package == PACKAGE}
    assert {"google/rpc/error_details.proto", "google/rpc/status.proto", "google/protobuf/any.proto"} <= set(files())


def test_every_long_poll_is_long_running() -> None:
    options = [method.options for file in files().values() for service in file.service for method in service.method]
    long_polls = [method for method in options if method.Extensions[LONG_POLL]]
    assert long_polls
    assert all(method.Extensions[LONG_RUNNING] for method in long_polls)


def test_imports_precede_the_files_that_use_them() -> None:
    pool = descriptor_pool.DescriptorPool()
    for file in files().values():
        pool.Add(file)
    assert pool.FindMethodByName(f"{PACKAGE}.TagService.TagResource").input_type.name == "TagResourceRequest"


def test_the_descriptor_set_has_the_json_names() -> None:
    fields = [field for file in files().values() for message in file.message_type for field in message.field]
    assert fields
    assert all(field.json_name for field in fields)


def test_the_descriptor_set_has_the_comment_of_every_element() -> None:
    ours = [file for file in files().values() if file.package == PACKAGE]
    named = {
        *(message.name for file in ours for message in file.message_type),
        *(f"{message.name}.{field.name}" for file in ours for message in file.message_type for field in message.field),
        *(f"{enum.name}.{value.name}" for file in ours for enum in file.enum_type for value in enum.value),
        *(f"{service.name}.{method.name}" for file in ours for service in file.service for method in service.method),
    }
    assert named <= comments().keys()
    assert comment("TagService.TagResource").startswith("Adds tags to a resource.")


def test_the_options_mark_the_long_running_methods_and_the_long_polls() -> None:
    extensions = {
        method.name: method.options.Extensions
        for file in files().values()
        for service in file.service
        for method in service.method
    }
    assert extensions.keys() == RPCS.keys()
    assert {name for name, options in extensions.items() if options[LONG_RUNNING]} == {
        "WaitForKeyValueStore",
        "UpdateKeys",
        "ImportKeys",
    }
    assert {name for name, options in extensions.items() if options[LONG_POLL]} == {"WaitForKeyValueStore"}
    assert {name for name, options in extensions.items() if options[NOT_REPEATABLE]} == {
        "PutKey",
        "DeleteKey",
        "UpdateKeys",
        "ImportKeys",
    }
