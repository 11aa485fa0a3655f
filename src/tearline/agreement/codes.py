"""The codes of findings, each documented in `docs/agreement-profile.md` with an example and the way out."""

from __future__ import annotations

CODES = {
    "E001": "not Cedar",
    "E002": "no @id, or not in kebab-case",
    "E003": "@id used twice",
    "E004": "no @reason",
    "E005": "an annotation that is not @id, @reason or @review(date)",
    "E006": "a head that does not say plainly who receives",
    "E007": "a head that does not name the action",
    "E008": "a head that constrains the resource",
    "E009": "a template slot",
    "E010": "an operator outside the profile",
    "E011": "a test that does not compare one attribute with constants",
    "E012": "a number that is no rank",
    "E013": "a party or coalition that the manifest does not declare",
    "E014": "a moment that is not a UTC date or second",
    "E015": "a clause that does not fit the schema",
    "E016": "a comparison with a name of another kind",
    "E020": "a manifest that is not TOML",
    "E021": "a field that is missing",
    "E022": "a field that manifests do not have",
    "E023": "a field of another form",
    "E024": "an end that is not after the beginning",
    "E025": "a row of levels that names no rank, lowers one or changes their order",
    "E026": "a form of imagery or signals that cannot be",
    "W001": "a review date that has passed",
    "W002": "a clause without a review date",
    "W003": "a permit for somebody who is not a party",
    "W004": "a declared name that no clause uses",
    "W005": "a permit without a test of the level",
    "W006": "an agreement that has ended",
    "W007": "a party without a table of levels",
    "W008": "a time that is over",
    "W009": "a forbid of everything to everybody",
}
"""What each code means. E: it stops adoption. W: an officer should look at it."""
