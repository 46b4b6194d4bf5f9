"""Follows the links of the documents within the checkout, and looks whether the index has every page."""

import re

FENCED = re.compile(r"^ *```.*?^ *```\s*?$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[(?:[^\[\]]|\[[^\]]*\])*\]\((?P<to>[^)\s]+)\)")
HEADING = re.compile(r"^#+ +(?P<title>.*?)\s*$", re.MULTILINE)
ANCHOR = re.compile(r"<a id=\"(?P<name>[^\"]+)\">")
#: What a heading's anchor leaves out.
LEFT_OUT = re.compile(r"[^\w\- ]")


def anchors(text):
    """What can be linked to within a page."""
    found = {one["name"] for one in ANCHOR.finditer(text)}
    for heading in HEADING.finditer(FENCED.sub("", text)):
        title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading["title"])
        name = LEFT_OUT.sub("", title.lower()).replace(" ", "-")
        while name in found:
            name += "-1"
        found.add(name)
    return found


def links(text):
    """The links of a page that lead somewhere within the checkout."""
    for found in LINK.finditer(FENCED.sub("", text)):
        if not re.match(r"[a-z]+:", found["to"]):
            yield found["to"]


def broken(root, page, text):
    """The links of a page that lead nowhere."""
    for to in links(text):
        path, _, anchor = to.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.is_relative_to(root) or not target.exists():
            yield f"{to}: there is no {path}"
        elif anchor and target.suffix == ".md" and anchor not in anchors(target.read_text()):
            yield f"{to}: it has no #{anchor}"


def missing(index, pages):
    """The pages that an index does not link to."""
    linked = {(index.parent / to.partition("#")[0]).resolve() for to in links(index.read_text())}
    return [page for page in pages if page not in linked and page != index]
