"""Are the reports there and whole? Every study in three formats, no page that reaches the network, a linked index."""

import json
import re
import sys
from pathlib import Path

FORMATS = ("html", "pdf", "docx")
STARTS = {"html": b"<!DOCTYPE html", "pdf": b"%PDF-1.", "docx": b"PK"}


def problems(site: Path) -> list[str]:
    found = []
    index = (site / "index.html").read_text(encoding="utf-8")
    studies = sorted(path.name for path in Path("studies").iterdir() if (path / "study.yml").is_file())
    for study in studies:
        results = json.loads((site / study / "results.json").read_text(encoding="utf-8"))
        if results["study"] != study or not results["results"]:
            found.append(f"{study}: results.json is empty or another study's")
        for ending in FORMATS:
            report = site / study / "report" / f"commissioner.{ending}"
            if not report.is_file() or not report.read_bytes().lstrip()[:20].lower().startswith(
                STARTS[ending].lower()
            ):
                found.append(f"{study}: no sound commissioner.{ending}")
            if f"{study}/report/commissioner.{ending}" not in index:
                found.append(f"{study}: the index does not link commissioner.{ending}")
    for page in site.rglob("*.html"):
        if re.search(
            r"<(?:script|img|link|iframe)[^>]+(?:src|href)=[\"']?(?:https?:)?//",
            page.read_text(encoding="utf-8"),
        ):
            found.append(f"{page}: loads something from the network")
    return found


if __name__ == "__main__":
    wrong = problems(Path(sys.argv[1]))
    print("\n".join(wrong) or "Every report is there and sound.")
    sys.exit(bool(wrong))
