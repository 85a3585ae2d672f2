"""``/docs`` and ``/openapi.json``: the interface described, readable without the internet.

The usual page for OpenAPI loads its scripts from elsewhere, which a city's network may not allow
and the content policy does not; this one is plain HTML.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse

from service.api.examples import add_examples
from service.api.problems import FieldProblem, ProblemOut

REF_TEMPLATE = "#/components/schemas/{model}"
_METHODS = ("get", "post", "put", "patch", "delete")

router = APIRouter()


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, made once, with the form of the problems in it."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
        )
        schemas = schema["components"]["schemas"]
        for model in (FieldProblem, ProblemOut):
            form = model.model_json_schema(ref_template=REF_TEMPLATE)
            form.pop("$defs", None)
            schemas[model.__name__] = form
        add_examples(schema)
        app.openapi_schema = schema
    return app.openapi_schema


@router.get("/docs", include_in_schema=False)
def reference(request: Request) -> HTMLResponse:
    """The interface as a page."""
    return HTMLResponse("".join(_page(request.app.openapi())))


def _page(schema: Mapping[str, Any]) -> Iterator[str]:
    info = schema["info"]
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escape(info['title'])}</title></head><body><main>"
    yield f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>"
    yield f"<p>{escape(info['description'].strip())}</p>"
    yield '<p>For programs: <a href="openapi.json">openapi.json</a></p>'
    for path, operations in schema["paths"].items():
        for method in _METHODS:
            if method in operations:
                yield from _operation(method, path, operations[method])
    yield "<h1>Forms</h1>"
    for name, form in sorted(schema["components"]["schemas"].items()):
        yield from _form(name, form)
    yield "</main></body></html>"


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"<section><h2><code>{method.upper()} {escape(path)}</code></h2>"
    yield f"<p>{escape(operation.get('description', ''))}</p>"
    parameters = operation.get("parameters", [])
    if parameters:
        yield "<ul>"
        for each in parameters:
            needed = ", needed" if each.get("required") else ""
            yield f"<li><code>{escape(each['name'])}</code> ({escape(each['in'])}{needed}) "
            yield f"{_type(each['schema'])} {escape(each.get('description', ''))}</li>"
        yield "</ul>"
    for kind, body in operation.get("requestBody", {}).get("content", {}).items():
        yield f"<p>Body: <code>{escape(kind)}</code> {_type(body['schema'])}</p>"
    yield "<ul>"
    for code, answer in operation["responses"].items():
        forms = ", ".join(
            _type(each.get("schema", {})) for each in answer.get("content", {}).values()
        )
        yield f"<li>{escape(code)} {escape(answer['description'])} {forms}"
        yield from _examples(answer)
        yield "</li>"
    yield "</ul></section>"


def _examples(answer: Mapping[str, Any]) -> Iterator[str]:
    for content in answer.get("content", {}).values():
        if "example" in content:
            example = content["example"]
            is_text = isinstance(example, str)
            text = example if is_text else json.dumps(example, ensure_ascii=False, indent=1)
            yield f"<details><summary>Example</summary><pre>{escape(text)}</pre></details>"


def _form(name: str, form: Mapping[str, Any]) -> Iterator[str]:
    yield f'<section id="{escape(name)}"><h2>{escape(name)}</h2>'
    yield f"<p>{escape(form.get('description', ''))}</p>"
    if "enum" in form:
        yield f"<p>One of {escape(', '.join(form['enum']))}</p>"
    needed = form.get("required", [])
    yield "<ul>"
    for field, schema in form.get("properties", {}).items():
        mark = ", needed" if field in needed else ""
        yield f"<li><code>{escape(field)}</code>{mark}: {_type(schema)} "
        yield f"{escape(schema.get('description', ''))}</li>"
    yield "</ul>"
    if "example" in form:
        example = json.dumps(form["example"], ensure_ascii=False, indent=2)
        yield f"<pre>{escape(example)}</pre>"
    yield "</section>"


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if schema.get("type") == "array" and "items" in schema:
        return f"list of {_type(schema['items'])}"
    return escape(str(schema.get("format") or schema.get("type") or ""))
