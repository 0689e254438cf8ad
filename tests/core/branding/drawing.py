"""Pictures that tests send."""

import io

from PIL import Image

LOGO = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 60">'
    b'<rect width="120" height="60" rx="8" fill="#7a2e5d"/><circle cx="30" cy="30" r="18" fill="#d9a441"/></svg>'
)


def picture(kind: str = "PNG", size: tuple[int, int] = (800, 400), **options: object) -> bytes:
    output = io.BytesIO()
    Image.new("RGB", size, (40, 90, 120)).save(output, kind, **options)
    return output.getvalue()
