"""Opens PDF files on behalf of Parvis, in a process of its own with bounded memory.

Run as a script, it reads one JSON order per line ({"do": "examine", "path": …} or {"do": "render", "path": …,
"page": n, "width": px, "target": …}) and answers one JSON line. It imports nothing of Parvis and touches no
network: whatever a hostile file does to a parser stays here, and the caller kills a process that lasts too
long.
"""

import contextlib
import json
import re
import resource
import sys

import pikepdf

MEMORY = 1536 * 1024 * 1024
EXECUTABLE = re.compile(r"\.(exe|com|scr|bat|cmd|msi|dll|jar|js|jse|vbs|vbe|wsf|ps1|sh|hta|lnk)$", re.IGNORECASE)
MAX_WARNINGS = 5


def examine(path):
    """Facts about the PDF at ``path``, without judgement."""
    with open(path, "rb") as stream:
        start = stream.read(1024)
        stream.seek(0, 2)
        size = stream.tell()
        stream.seek(max(0, size - 64 * 1024))
        end = stream.read()
    facts = {"size": size, "is_pdf": b"%PDF-" in start, "complete": b"%%EOF" in end}
    if not facts["is_pdf"]:
        return facts
    facts["trailing_bytes"] = len(end) - end.rfind(b"%%EOF") - 5 > 2 if facts["complete"] else False
    try:
        document = pikepdf.open(path, attempt_recovery=False, suppress_warnings=True)
    except pikepdf.PasswordError:
        return facts | {"user_password": True}
    except (pikepdf.PdfError, ValueError) as error:
        return facts | {"damage": str(error).replace(str(path), "")[:300]}
    with document:
        try:
            facts["pages"] = len(document.pages)
            facts |= _protection(document) | _active_content(document)
            facts["damage"] = _damage(document)
        except (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            facts["damage"] = f"{type(error).__name__}: {error}"[:300]
    return facts


def _protection(document):
    allowed = document.allow
    forbidden = [
        name
        for name, allow in (
            ("print", allowed.print_lowres),
            ("copy", allowed.extract),
            ("modify", allowed.modify_other and allowed.modify_assembly),
            ("annotate", allowed.modify_annotation and allowed.modify_form),
        )
        if not allow
    ]
    return {"encrypted": document.is_encrypted, "forbidden": forbidden}


def _active_content(document):
    root = document.Root
    names = root.get("/Names")
    scripts = names is not None and "/JavaScript" in names
    attached = list(document.attachments)
    launches = False
    for item in _dictionaries(document):
        kind = item.get("/S")
        scripts = scripts or kind == "/JavaScript" or "/JS" in item
        launches = launches or kind == "/Launch"
    form = root.get("/AcroForm")
    return {
        "scripts": bool(scripts),
        "launches": bool(launches),
        "xfa": form is not None and "/XFA" in form,
        "attachments": attached[:20],
        "executables": [name for name in attached if EXECUTABLE.search(name)][:20],
        "signed": form is not None and bool(int(form.get("/SigFlags", 0)) & 1),
    }


def _dictionaries(document):
    """Every dictionary of the file, those written inside others included."""
    for top in document.objects:
        waiting = [top]
        while waiting:
            item = waiting.pop()
            if isinstance(item, pikepdf.Dictionary | pikepdf.Stream):
                yield item
                children = item.as_dict().values() if isinstance(item, pikepdf.Dictionary) else ()
            elif isinstance(item, pikepdf.Array):
                children = item
            else:
                continue
            waiting.extend(
                child
                for child in children
                if isinstance(child, pikepdf.Dictionary | pikepdf.Array) and not child.is_indirect
            )


def _damage(document):
    """What the syntax check of qpdf finds, its remarks on linearisation hints aside (they harm no reader)."""
    remarks = [
        text.split(": ", 2)[-1]
        for text in document.check_pdf_syntax()
        if not any(word in text for word in ("shared identifier", "hint table", "inearization", "inearized"))
    ]
    return " ; ".join(remarks[:MAX_WARNINGS])[:300]


def render(path, page, width, target):
    """Write page number ``page`` (from 1) as a PNG ``width`` pixels wide at ``target``."""
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    document.init_forms()  # signatures and filled fields are part of what a reader sees
    try:
        if not 1 <= page <= len(document):
            return {"error": "no such page"}
        sheet = document[page - 1]
        across, down = sheet.get_size()
        if across <= 0 or down <= 0 or down / across > 20:
            return {"error": "unprintable page"}
        image = sheet.render(scale=width / across, may_draw_forms=True).to_pil()
        image.save(target, "PNG")
        return {"width": image.width, "height": image.height, "pages": len(document)}
    finally:
        document.close()


def answer(order):
    """Result of one order; every failure becomes a value."""
    try:
        if order["do"] == "examine":
            return examine(order["path"])
        return render(order["path"], order["page"], order["width"], order["target"])
    except Exception as error:  # the process serves the next order whatever happened
        return {"error": f"{type(error).__name__}: {error}"[:300]}


def main():
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
