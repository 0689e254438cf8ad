"""What a view takes as files is declared, refused before it has arrived, and never costs what was typed."""

import ast
import inspect
import io
import re
from pathlib import Path

import pytest
from django import forms
from django.apps import apps
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import URLResolver, get_resolver

import parvis
from parvis.core.web.uploads import (
    BoundedFileField,
    BoundedUploads,
    TooHeavy,
    UploadLimitsMiddleware,
    accepts_files,
    exceeds,
    weight,
)

SOURCES = Path(parvis.__file__).parent
# Functions that read the files of a request without being its view, and why that is safe.
READ_ELSEWHERE = {
    "core.provider.views.administration._form": "called by the two views of a service, which declare their limits",
    "core.branding.editing.read": "called by the editor of the look alone, which declares its limits",
    "core.authentication.stepup.keep": "only asks whether there are files",
}


def _callbacks(patterns):
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _callbacks(pattern.url_patterns)
        else:
            yield str(pattern.pattern), pattern.callback


CALLBACKS = list(_callbacks(get_resolver().url_patterns))
DECLARED = [callback for _, callback in CALLBACKS if getattr(callback, "upload_limits", None)]


def _name(callback) -> str:
    view = inspect.unwrap(callback)
    return f"{view.__module__}.{view.__qualname__}".removeprefix("parvis.")


def _readers_of_files():
    """Names of the functions of the product whose body names ``request.FILES``."""
    for path in SOURCES.rglob("*.py"):
        module = ".".join(path.relative_to(SOURCES).with_suffix("").parts)
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef) and any(
                isinstance(node, ast.Attribute) and node.attr == "FILES" for node in ast.walk(function)
            ):
                yield f"{module}.{function.name}"


def test_every_view_that_reads_files_declares_their_limits():
    declared = {_name(callback) for callback in DECLARED}
    undeclared = set(_readers_of_files()) - declared - set(READ_ELSEWHERE)
    assert not undeclared, f"decorate with @accepts_files (core/web/uploads.py): {undeclared}"


def test_the_functions_that_read_files_elsewhere_are_still_there():
    assert set(READ_ELSEWHERE) <= set(_readers_of_files())


def _forms():
    for config in apps.get_app_configs():
        if config.name.startswith("parvis."):
            path = Path(config.path)
            for source in path.rglob("forms.py"):
                yield from _form_classes(".".join(["parvis", *source.relative_to(SOURCES).with_suffix("").parts]))


def _form_classes(module: str):
    import importlib

    for found in vars(importlib.import_module(module)).values():
        if isinstance(found, type) and issubclass(found, forms.BaseForm):
            yield found


def test_every_field_that_takes_a_file_has_a_limit():
    unlimited = {
        f"{form.__module__}.{form.__name__}.{name}"
        for form in _forms()
        for name, field in getattr(form, "base_fields", {}).items()
        if isinstance(field, forms.FileField) and not isinstance(field, BoundedFileField)
    }
    assert not unlimited


class Unread(io.BytesIO):
    def read(self, *_):
        raise AssertionError("the body was read")

    readline = read


@pytest.mark.django_db
@pytest.mark.parametrize("callback", [c for c in DECLARED if not c.form_always_read], ids=_name)
def test_what_cannot_fit_is_refused_before_it_is_read(callback):
    announced = sum(callback.upload_limits.values()) + settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1
    answer = through_the_middleware(callback, announced)
    assert answer.status_code == 413
    text = answer.content.decode()
    assert weight(max(callback.upload_limits.values())) in text
    assert f"qui pèse {weight(announced)}" in text
    assert "Rouvrir le formulaire" in text


@pytest.mark.django_db
@pytest.mark.parametrize("callback", [c for c in DECLARED if c.upload_together and not c.form_always_read], ids=_name)
def test_files_that_go_together_are_bounded_together(callback):
    answer = through_the_middleware(callback, callback.upload_together + settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    assert answer.status_code == 413
    assert f"{weight(callback.upload_together)} ensemble" in answer.content.decode()


@pytest.mark.django_db
def test_a_view_that_declares_nothing_takes_no_large_body():
    answer = through_the_middleware(lambda request: HttpResponse(), settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    assert answer.status_code == 413
    assert "ne prend pas de fichier" in answer.content.decode()


def through_the_middleware(callback, announced: int):
    from django.contrib.auth.models import AnonymousUser

    request = RequestFactory().post(
        "/quelque/part/",
        **{
            "wsgi.input": Unread(),
            "CONTENT_LENGTH": str(announced),
            "CONTENT_TYPE": "multipart/form-data; boundary=x",
        },
    )
    request.user, request.session, request._messages = AnonymousUser(), {}, []
    return UploadLimitsMiddleware(callback).process_view(request, callback, (), {})


def test_the_limits_are_checked_before_the_token_of_the_form():
    order = settings.MIDDLEWARE
    assert order.index("parvis.core.web.uploads.UploadLimitsMiddleware") < order.index(
        "django.middleware.csrf.CsrfViewMiddleware"
    )


# -- one file too heavy among what was typed -------------------------------------------------------------------


class NoteForm(forms.Form):
    title = forms.CharField()
    file = BoundedFileField(limit=1000)


def sent(content: bytes, field: str = "file"):
    request = RequestFactory().post("/", {"title": "Tapé avec soin", field: SimpleUploadedFile("a.bin", content)})
    request.upload_handlers.insert(0, BoundedUploads(request, accepts_files(NoteForm)(lambda: None).upload_limits))
    return request


@pytest.mark.parametrize("size", [1000, 1001, 3_000_000])
def test_a_file_is_kept_up_to_its_limit_and_the_rest_always(size):
    request = sent(b"x" * size)
    form = NoteForm(request.POST, request.FILES)
    assert form.is_valid() == (size <= 1000)
    assert form["title"].value() == "Tapé avec soin"
    if size > 1000:
        assert form.errors["file"] == [f"« a.bin » {exceeds(size, 1000)}. Allégez-le ou découpez-le."]
        assert isinstance(request.FILES["file"], TooHeavy)
        assert request.FILES["file"].size == size


def test_a_declared_name_may_stand_for_all_those_that_begin_so():
    request = RequestFactory().post("/", {"file_12": SimpleUploadedFile("a.bin", b"x" * 11)})
    request.upload_handlers.insert(0, BoundedUploads(request, {"file_*": 10}))
    assert isinstance(request.FILES["file_12"], TooHeavy)


def test_a_file_under_another_name_is_thrown_away():
    assert not sent(b"x", field="autre").FILES


def test_nothing_stays_on_disk_of_a_file_too_heavy(settings, tmp_path):
    settings.FILE_UPLOAD_TEMP_DIR, settings.FILE_UPLOAD_MAX_MEMORY_SIZE = str(tmp_path), 10
    assert isinstance(sent(b"x" * 5000).FILES["file"], TooHeavy)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("octets", "said"), [(500, "500 octets"), (262_144, "256 Kio"), (2**20 * 100, "100 Mio"), (2**31, "2 Gio")]
)
def test_a_limit_is_said_exactly(octets, said):
    assert re.sub("\u00a0", " ", weight(octets)) == said


@pytest.mark.parametrize(
    ("octets", "said"),
    [(2**20 * 200, "pèse 200 Mio et dépasse 150 Mio"), (2**20 * 150 + 1, "pèse 157 286 401 octets et dépasse 150 Mio")],
)
def test_a_size_is_said_so_that_it_exceeds_the_limit(octets, said):
    assert re.sub("[\u00a0\u202f]", " ", exceeds(octets, 2**20 * 150)) == said
