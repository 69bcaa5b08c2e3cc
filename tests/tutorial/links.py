"""Links: relative ones lead to a file and a heading that exist; what lies outside is only looked at for its form."""

from urllib.parse import unquote, urlsplit

import page as pages
from compare import Difference


def check(page, root):
    for line, target in page.links:
        wrong = what_is_wrong(page, target, root)
        if wrong:
            yield Difference(line, f"a link that leads somewhere: {target}", wrong)


def what_is_wrong(page, target, root):
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        good = parts.scheme in ("http", "https") and "." in parts.netloc and " " not in target
        return None if good else "not a well-formed address"
    path = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path.resolve()
    if not path.exists():
        return f"there is no file {parts.path}"
    if not path.is_relative_to(root):
        return "outside the repository"
    if parts.fragment and path.suffix == ".md":
        headings = page.headings if path == page.path.resolve() else pages.read(path, root).headings
        if unquote(parts.fragment) not in pages.anchors(headings):
            return f"no heading #{parts.fragment}"
    elif parts.fragment:
        return "only pages have headings to lead to"
    return None
