"""Limits of the files that a view takes, kept while they arrive: never whole in memory, never kept on disk.

``@accepts_files(AnnexeForm)`` says which form the files of a view belong to: its ``BoundedFileField`` know how heavy
each may be. A sending whose announced length
cannot fit is refused before a byte of it is read; a file that proves too heavy is thrown away as it arrives, and the
form is shown again with everything else that was typed. A view that declares nothing takes no file at all.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.datastructures import MultiValueDict

from parvis.core import clock
from parvis.core.web.integers import whole_number

MULTIPART: Final = "multipart/form-data"
V = TypeVar("V", bound=Callable[..., Any])


class BoundedFileField(forms.FileField):
    """A file of at most ``limit`` octets; ``way_out`` says what to do with a heavier one."""

    def __init__(self, *, limit: int, way_out: str = "Allégez-le ou découpez-le.", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.limit, self.way_out = limit, way_out

    def to_python(self, data: Any) -> Any:
        file = super().to_python(data)
        if file is not None and file.size > self.limit:
            raise forms.ValidationError(f"« {file.name} » {exceeds(file.size, self.limit)}. {self.way_out}")
        return file


def accepts_files(
    form: type[forms.BaseForm],
    more: Mapping[str, int] | None = None,
    *,
    together: int = 0,
    form_always_read: bool = False,
) -> Callable[[V], V]:
    """Declare the file fields of a view: those of ``form``, and ``more`` with the octets that each may hold.

    A name that ends with ``*`` stands for all those that begin so: ``{"file_*": MAX}``. ``together`` is what all the
    files of one sending may hold, where that is less than the sum.
    With ``form_always_read`` the rest of the form is read and kept however heavy the file: for forms in which much
    is typed.
    """

    fields = getattr(form, "base_fields", {})
    limits = {name: field.limit for name, field in fields.items() if isinstance(field, BoundedFileField)}
    limits |= more or {}

    def declare(view: V) -> V:
        view.upload_limits = limits  # type: ignore[attr-defined]
        view.upload_together = together  # type: ignore[attr-defined]
        view.form_always_read = form_always_read  # type: ignore[attr-defined]
        return view

    return declare


class TooHeavy(UploadedFile):
    """Stands for a file thrown away: it has its name and its true size, and nothing to read."""

    def __init__(self, name: str | None, size: int) -> None:
        super().__init__(file=None, name=name, size=size)

    def read(self, *_: Any) -> bytes:
        raise ValueError("this file was too heavy: its size is to be looked at before it is read")


class BoundedUploads(FileUploadHandler):
    """First of the upload handlers of a request; gives a ``TooHeavy`` in place of what exceeds its limit."""

    def __init__(self, request: HttpRequest, limits: Mapping[str, int]) -> None:
        super().__init__(request)
        self.limits = limits

        self.limit = 0
        """Of the file that arrives."""

    def new_file(self, field_name: str, *args: Any, **kwargs: Any) -> None:
        super().new_file(field_name, *args, **kwargs)
        found = [limit for name, limit in self.limits.items() if _names(name, field_name)]
        if not found:
            raise SkipFile
        self.limit = found[0]

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        return raw_data if start + len(raw_data) <= self.limit else None

    def file_complete(self, file_size: int) -> UploadedFile | None:
        if file_size <= self.limit:
            return None  # the handlers that follow keep the file
        for handler in self.request.upload_handlers:  # type: ignore[union-attr]
            if (begun := getattr(handler, "file", None)) is not None:
                begun.close()
        return TooHeavy(self.file_name, file_size)


def _names(declared: str, field_name: str) -> bool:
    return field_name.startswith(declared[:-1]) if declared.endswith("*") else field_name == declared


class UploadLimitsMiddleware:
    """Comes before whatever reads a form, the check of its token included."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if getattr(getattr(view, "access", None), "kind", "") == "api":
            return None  # operations measure their bodies and answer with problem details (core/api/operations.py)
        limits: Mapping[str, int] = getattr(view, "upload_limits", {})
        if request.method != "POST" or not (limits or request.content_type == MULTIPART):
            return None
        announced = whole_number(request.META.get("CONTENT_LENGTH")) or 0
        together = getattr(view, "upload_together", 0)
        most = (together or sum(limits.values())) + (settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0)
        if announced > most and not getattr(view, "form_always_read", False):
            return refused_at_once(request, announced, max(limits.values(), default=0), together)
        request.upload_handlers.insert(0, BoundedUploads(request, limits))
        return None


def refused_at_once(request: HttpRequest, announced: int, limit: int, together: int = 0) -> HttpResponse:
    """The page that says how heavy a file, or all those of a sending, may be; nothing of the request was read."""
    request._post, request._files = QueryDict(), MultiValueDict()  # type: ignore[attr-defined]  # no layout reads it
    if together:
        rule = f"Les fichiers ne peuvent dépasser {weight(together)} ensemble ici"
    elif limit:
        rule = f"Un fichier ne peut dépasser {weight(limit)} ici"
    else:
        rule = "Cette page ne prend pas de fichier"
    context = {
        "status": 413,
        "heading": "Envoi trop lourd",
        "text": f"{rule} : l’envoi, qui pèse {weight(announced)}, a été refusé avant d’être reçu, et rien n’a été "
        "enregistré. Revenez au formulaire par le bouton « Précédent » de votre navigateur, qui garde ce que vous y "
        f"avez saisi, puis allégez {'les fichiers' if together else 'ou découpez le fichier'}.",
        "when": clock.now(),
        "back": request.get_full_path(),
    }
    return render(request, "web/error.html", context, status=413)


def weight(octets: int) -> str:
    """« 256 Kio », « 100 Mio », « 2 Gio »: a limit, said exactly."""
    for unit, size in (("Gio", 1024**3), ("Mio", 1024**2), ("Kio", 1024)):
        if octets >= size:
            return f"{octets / size:.3g}".replace(".", ",") + f"\u00a0{unit}"
    return f"{octets}\u00a0octets"


def exceeds(octets: int, limit: int) -> str:
    """« pèse 200 Mio et dépasse 150 Mio »; in octets where both would read alike."""
    alike = weight(octets) == weight(limit)
    size = f"{octets:_}".replace("_", "\u202f") + "\u00a0octets" if alike else weight(octets)
    return f"pèse {size} et dépasse {weight(limit)}"
