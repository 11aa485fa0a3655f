"""How a page is drawn: templates, languages, the files that pages need.

Templates are Jinja with everything escaped. Texts are English and marked for gettext; a language is a folder
in `locale/` with one `.po` file an area, read when the desk starts.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cache
from gettext import GNUTranslations
from importlib.resources import files
from importlib.resources.abc import Traversable
from mimetypes import guess_type
from typing import Any, NamedTuple

from babel import Locale, dates, negotiate_locale, numbers
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2 import Environment, PackageLoader, StrictUndefined

from tearline.handout import assets as shared
from tearline.handout import shell

LANGUAGES = {"en": "English", "uk": "Українська"}
"""By code, each by its own name."""
_HERE = files("tearline.doors.desk")


class Asset(NamedTuple):
    """A file that pages need."""

    body: bytes
    media_type: str


def catalogue(language: str) -> Catalog:
    """What a language says, of all areas together. English stands in the texts themselves."""
    whole = Catalog(locale=language)
    folder = _HERE.joinpath("locale", language)
    for path in sorted(folder.iterdir(), key=lambda each: each.name) if folder.is_dir() else ():
        if path.name.endswith(".po"):
            for message in read_po(io.BytesIO(path.read_bytes()), locale=language):
                if message.id and message.string:
                    whole[message.id] = message
    return whole


def translations(language: str) -> GNUTranslations:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def chosen(wanted: str | None, accepted: str) -> str:
    """The language of a page: as the person chose, else as the browser asks (`Accept-Language`)."""
    if wanted in LANGUAGES:
        return wanted
    asked = [part.partition(";")[0].strip().replace("-", "_") for part in accepted.split(",")][:20]
    return negotiate_locale([each for each in asked if each], list(LANGUAGES)) or "en"


class Pages:
    """Draws. `assets`: further files by name, beside those in `static/`."""

    def __init__(self, *, assets: Mapping[str, bytes] | None = None) -> None:
        self.assets = {name: Asset(body, _type(name)) for name, body in _static(_HERE.joinpath("static"), "")}
        self.assets |= {name: Asset(shared.read(name), _type(name)) for name in shared.names()}
        self.assets["charts.js"] = Asset(shell.read("charts.js").encode(), _type("charts.js"))
        self.assets |= {name: Asset(body, _type(name)) for name, body in (assets or {}).items()}
        # A name that changes with the content: a browser can keep the file for ever.
        self.places = {
            name: f"/static/{hashlib.sha256(asset.body).hexdigest()[:16]}/{name}"
            for name, asset in self.assets.items()
        }
        self._environments = {language: self._environment(language) for language in LANGUAGES}
        self._translations = {language: translations(language) for language in LANGUAGES}

    def draw(self, template: str, language: str, **values: Any) -> str:
        return self._environments[language].get_template(template).render(language=language, **values)

    def says(self, text: str, language: str) -> str:
        """A marked text in a language."""
        return self._translations[language].gettext(text) if text else ""

    def _environment(self, language: str) -> Environment:
        made = Environment(
            loader=PackageLoader("tearline.doors.desk"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        )
        made.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
        made.globals |= {"static": self.places.__getitem__, "languages": LANGUAGES}
        locale = Locale.parse(language)
        made.filters |= {
            "when": lambda value: _when(value, locale),
            "day": lambda value: dates.format_date(_instant(value), "medium", locale),
            "number": lambda value: numbers.format_decimal(value, locale=locale),
            "percent": lambda value: numbers.format_percent(value, "0.#%", locale=locale),
        }
        return made


def _instant(value: datetime | date | str) -> datetime | date:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _when(value: datetime | str | None, locale: Locale) -> str:
    """An instant in UTC, to the minute; times of day are told in UTC alone."""
    if value is None:
        return ""
    return dates.format_datetime(_instant(value), "d MMM y HH:mm 'UTC'", tzinfo=dates.UTC, locale=locale)


@cache
def _type(name: str) -> str:
    return guess_type(name)[0] or "application/octet-stream"


def _static(folder: Traversable, prefix: str) -> Iterable[tuple[str, bytes]]:
    for each in folder.iterdir():
        if each.is_dir():
            yield from _static(each, f"{prefix}{each.name}/")
        else:
            yield prefix + each.name, each.read_bytes()
