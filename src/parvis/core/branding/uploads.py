"""Files over the limit of their field are thrown away as they arrive: never whole in memory, never kept on disk.

The other fields of the form go on being read, so that nothing typed is lost.
"""

from collections.abc import Mapping
from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest


class BoundedUploads(FileUploadHandler):
    """Comes first of the upload handlers of a request; ``refused`` names the fields whose file was too large."""

    def __init__(self, request: HttpRequest, limits: Mapping[str, int]) -> None:
        super().__init__(request)
        self.limits = limits
        self.refused: list[str] = []

    def new_file(self, field_name: str, *args: Any, **kwargs: Any) -> None:
        super().new_file(field_name, *args, **kwargs)
        if field_name not in self.limits:
            raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        assert self.field_name is not None
        if start + len(raw_data) > self.limits[self.field_name]:
            self.refused.append(self.field_name)
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None  # the handlers that follow keep the file


def bound_uploads(request: HttpRequest, limits: Mapping[str, int]) -> BoundedUploads:
    """Limit the files of ``request`` (octets by field) before anything reads its body; other fields take none."""
    bounded = BoundedUploads(request, limits)
    request.upload_handlers.insert(0, bounded)
    return bounded
