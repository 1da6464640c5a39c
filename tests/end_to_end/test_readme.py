"""The README's examples run, and it names every rpc."""

from __future__ import annotations

import os
import re
from pathlib import Path

from cloudfront_facade.v1 import (
    function_service_pb2,
    key_value_store_data_service_pb2,
    key_value_store_service_pb2,
    tag_service_pb2,
)
from support.markdown import PROJECT, examples, problems, update
from support.process import FacadeProcess

README = PROJECT / "README.md"


def test_the_readme_has_examples_in_both_languages_and_an_error() -> None:
    readme_examples = examples(README)
    assert {example.language for example in readme_examples} == {"sh", "python"}
    assert any(example.must_fail for example in readme_examples)


def test_the_examples_print_the_output_that_the_readme_shows(tmp_path: Path) -> None:
    with FacadeProcess("--backend", "embedded", "--embedded-db", ":memory:", "--drain-delay", "0") as process:
        if os.environ.get("UPDATE_PAGES"):
            update(README, process.address, tmp_path)
        else:
            assert problems(README, process.address, tmp_path) == ""


def test_the_walk_through_calls_every_rpc_and_the_readme_names_it() -> None:
    script = (PROJECT / "clients/grpcurl/walk-through.sh").read_text()
    for file in (function_service_pb2, key_value_store_service_pb2, key_value_store_data_service_pb2, tag_service_pb2):
        for service in file.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                assert f" {service.name}/{method.name} " in script
                assert re.search(rf"^\| `{service.name}` \|.*\b{method.name}\b", README.read_text(), re.MULTILINE)
