"""The words: frozen values, closed vocabularies and the error tree. Imports nothing of ours.

Error tree::

    TearlineError          one plain sentence, fit to show
    ├── BadInput           a file or message we cannot take: where, place, reason, remedy
    ├── Refused            an act the rules do not allow (officer-facing; never shown to a partner)
    └── Broken             stored state contradicts itself: ledger, signature, view
"""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, Literal

import msgspec

Party = str
"""An organisation's registered code, upper case: an ISO 3166-1 trigraph (`USA`), a CAPCO tetragraph
that cannot be decomposed, or a code that the coalition agreed on (`CERT-UA`)."""

Policy = str
"""Whose classification scale a level is on: a `Party`, or `JOINT`/`NATO`. Scales are never compared."""


class TearlineError(Exception):
    """The root: its text is one plain sentence without product content or identities."""


class BadInput(TearlineError):
    """Input that cannot be taken whole. `where` is a file or message, `place` a spot in it."""

    def __init__(self, where: str, place: str, reason: str, remedy: str = "") -> None:
        self.where, self.place, self.reason, self.remedy = where, place, reason, remedy
        at = f"{where}, {place}" if place else where
        super().__init__(f"{at}: {reason}" + (f"; {remedy}" if remedy else ""))


class Refused(TearlineError):
    """An act that the rules do not allow."""


class Broken(TearlineError):
    """Stored or received state contradicts itself (a changed ledger entry, a bad signature)."""


# --- Label ---------------------------------------------------------------------------------------


class Reach(IntEnum):
    """How far a recipient may pass a thing on. FIRST, Traffic Light Protocol 2.0, section 2."""

    CLEAR = 0
    GREEN = 1
    AMBER = 2
    AMBER_STRICT = 3
    RED = 4


class Use(IntEnum):
    """What a recipient may do with a thing. MISP taxonomy `PAP` (Permissible Actions Protocol)."""

    CLEAR = 0
    GREEN = 1
    AMBER = 2
    RED = 3


class Level(IntEnum):
    """Ranks within one policy's scale; equal ranks of two policies are *not* comparable."""

    UNCLASSIFIED = 0
    RESTRICTED = 1
    CONFIDENTIAL = 2
    SECRET = 3
    TOP_SECRET = 4


class Label(msgspec.Struct, frozen=True, kw_only=True, tag="label"):
    """A normalised marking: a product of lattices (design, section 5). Higher is narrower.

    The default value is the lattice's bottom: it bars nobody. `release`/`display`: the parties that
    may be given a copy / may be shown it; `None` is everyone; `release` is always within `display`.
    """

    level: tuple[tuple[Policy, Level], ...] = ()
    """Sorted (policy, rank) pairs, one per policy."""
    need: frozenset[str] = frozenset()
    """Compartments and programmes that the recipient must be read into."""
    release: frozenset[Party] | None = None
    display: frozenset[Party] | None = None
    reach: Reach = Reach.CLEAR
    use: Use = Use.CLEAR
    owners: frozenset[Party] = frozenset()
    """Whose information it is (third-party rule)."""
    consent: frozenset[Party] = frozenset()
    """Who asked expressly to be asked before onward release (ORCON)."""
    duties: frozenset[str] = frozenset()
    """What the recipient must have undertaken: `FOUO`, `PROPIN`, `STATEMENT`, ..."""
    info: frozenset[str] = frozenset()
    """Carried along; never decides."""


class Quarantine(msgspec.Struct, frozen=True, kw_only=True, tag="quarantine"):
    """A marking that could not be read whole. A product that bears it goes to nobody."""

    scheme: str
    mark: str
    """The mark that could not be read, as it stands in the original."""
    reason: str


class Marking(msgspec.Struct, frozen=True, kw_only=True):
    """The original marking, with what read it. `scheme` is `tlp2`, `capco` or `stix`."""

    scheme: str
    text: str
    parser: str
    """Parser and table versions, such as `capco/1 tables/2026-11`."""


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """What `label.may` needs to know of a recipient. An absent row or member means no."""

    party: Party
    clearance: tuple[tuple[Policy, Level], ...] = ()
    needs: frozenset[str] = frozenset()
    reach: Reach = Reach.CLEAR
    use: Use = Use.CLEAR
    duties: frozenset[str] = frozenset()
    consents: frozenset[Party] = frozenset()
    """The owners whose yes to a release to this recipient is held; the node's own party included."""


# --- Products ------------------------------------------------------------------------------------


class Category(StrEnum):
    CYBER = "cyber"
    REPORT = "report"
    IMAGERY = "imagery"
    INTERCEPT = "intercept"


class Discipline(StrEnum):
    """How the information was collected."""

    HUMINT = "humint"
    SIGINT = "sigint"
    GEOINT = "geoint"
    OSINT = "osint"
    CYBER = "cyber"
    UNKNOWN = "unknown"


class Topic(StrEnum):
    AIR = "air"
    COUNTERINTELLIGENCE = "counterintelligence"
    CRIME = "crime"
    CRITICAL_INFRASTRUCTURE = "critical-infrastructure"
    CYBER_CRIME = "cyber-crime"
    CYBER_ESPIONAGE = "cyber-espionage"
    CYBER_SABOTAGE = "cyber-sabotage"
    DIPLOMACY = "diplomacy"
    ECONOMY = "economy"
    ENERGY = "energy"
    INDUSTRIAL_CONTROL = "industrial-control"
    INFLUENCE = "influence"
    LAND = "land"
    LOGISTICS = "logistics"
    MALWARE = "malware"
    MARITIME = "maritime"
    MISSILE = "missile"
    PROLIFERATION = "proliferation"
    SANCTIONS = "sanctions"
    SPACE = "space"
    TERRORISM = "terrorism"
    THREAT_TO_LIFE = "threat-to-life"
    TRAFFICKING = "trafficking"
    VULNERABILITY = "vulnerability"
    OTHER = "other"


class Region(StrEnum):
    """UN M49 sub-regions, by slug; `global` where none or all are meant."""

    AUSTRALIA_NEW_ZEALAND = "australia-new-zealand"
    CARIBBEAN = "caribbean"
    CENTRAL_AMERICA = "central-america"
    CENTRAL_ASIA = "central-asia"
    EASTERN_AFRICA = "eastern-africa"
    EASTERN_ASIA = "eastern-asia"
    EASTERN_EUROPE = "eastern-europe"
    GLOBAL = "global"
    MIDDLE_AFRICA = "middle-africa"
    NORTHERN_AFRICA = "northern-africa"
    NORTHERN_AMERICA = "northern-america"
    NORTHERN_EUROPE = "northern-europe"
    PACIFIC = "pacific"
    SOUTH_AMERICA = "south-america"
    SOUTH_EASTERN_ASIA = "south-eastern-asia"
    SOUTHERN_AFRICA = "southern-africa"
    SOUTHERN_ASIA = "southern-asia"
    SOUTHERN_EUROPE = "southern-europe"
    WESTERN_AFRICA = "western-africa"
    WESTERN_ASIA = "western-asia"
    WESTERN_EUROPE = "western-europe"


class Role(StrEnum):
    TITLE = "title"
    BODY = "body"
    SOURCE = "source"
    """A source line: who or what the information came from. Never part of a tearline."""


class Portion(msgspec.Struct, frozen=True, kw_only=True):
    """A separately marked part of a product. `text` is without its mark."""

    text: str
    role: Role = Role.BODY
    marking: Marking | None
    label: Label | Quarantine
    facts: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    """What it tells about sources: sorted (cryptonym, sorted (attribute, value) pairs). Never goes out."""


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """An item of intelligence.

    `content` is what came in: for `CYBER` one STIX 2.1 object as JSON, for a text report its UTF-8
    text; for `IMAGERY` and `INTERCEPT` a `Media` as JSON, whose file lies in the blob store. `portions`
    is empty where the product has no separately marked parts. The label of a product with portions is
    the join of its banner and of all its portions.
    """

    id: str
    """Stable within its originator: a STIX id, or `report--UUID` made from originator and content."""
    version: str
    """RFC 3339 instant with milliseconds, `Z`."""
    originator: Party
    category: Category
    title: str
    created: datetime
    topics: frozenset[Topic] = frozenset()
    regions: frozenset[Region] = frozenset()
    disciplines: frozenset[Discipline] = frozenset({Discipline.UNKNOWN})
    language: str = "en"
    marking: Marking | None
    label: Label | Quarantine
    portions: tuple[Portion, ...] = ()
    sources: frozenset[str] = frozenset()
    """The cryptonyms of the sources that it rests on, those in `Portion.facts` included. Never goes out."""
    content: bytes


# --- Imagery and signals -------------------------------------------------------------------------


class Box(msgspec.Struct, frozen=True):
    """An area on the earth: degrees, WGS 84 (EPSG:4326), west <= east, south <= north."""

    west: float
    south: float
    east: float
    north: float


class Position(msgspec.Struct, frozen=True):
    """A point on the earth: degrees, WGS 84."""

    latitude: float
    longitude: float


class Imagery(msgspec.Struct, frozen=True, kw_only=True, tag="imagery"):
    """What a picture is, read from its file. What is not known is `None`, never guessed."""

    format: Literal["geotiff", "nitf", "jp2"]
    width: int
    height: int
    bands: int
    dtype: str
    """The name of the NumPy type of a sample."""
    gsd_m: float | None
    """Ground sample distance in metres, the finer of both axes at the centre of the picture."""
    box: Box | None
    taken: datetime | None


class Signal(msgspec.Struct, frozen=True, kw_only=True, tag="signal"):
    """What a recording is, read from its SigMF metadata."""

    datatype: str
    """SigMF dataset format, such as `cf32_le`."""
    channels: int
    samples: int
    """Of each channel."""
    sample_rate_hz: float | None
    centre_hz: float | None
    """Of the first capture segment."""
    position: Position | None
    taken: datetime | None
    annotations: int


class Media(msgspec.Struct, frozen=True, kw_only=True):
    """The `content` of a product of `IMAGERY` or `INTERCEPT`, as JSON: its file lies in the blob store."""

    sha256: str
    """Of the file, hexadecimal."""
    size: int
    """In bytes."""
    media_type: str
    """IANA: `image/tiff; application=geotiff`, `image/nitf`, `image/jp2`, `application/x-sigmf`."""
    facts: Imagery | Signal
    texts: tuple[str, ...] = ()
    """Free text in the file: descriptions, comments of annotations. It goes with the whole file alone."""
    came_as: dict[str, Any] | None = None
    """The STIX report by which a partner gave it, as its originator signed it; `None` for one's own."""


class Grain(StrEnum):
    """How exactly a time is told."""

    EXACT = "exact"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    NONE = "none"


class ImageryForm(msgspec.Struct, frozen=True, kw_only=True, tag="imagery"):
    """A sanitized form of a picture, named in an agreement's manifest."""

    name: str
    gsd_m: float = 0.0
    """Pixels are made this coarse, in metres; 0 leaves them, a picture that is coarser already stays so."""
    area: Box | None = None
    """Only what lies in it; `None`: all."""
    bits: Literal[8, 16] | None = None
    """Samples are quantised anew to so many bits; `None` leaves them."""
    time: Grain = Grain.DAY
    delay_h: int = 0
    """It goes so many hours after it was taken."""
    marking: str = ""
    """The marking of the form, set by its originator in the agreement; empty: that of the product."""
    sanitizer: str = ""
    """Who makes it, with its version (`fog/1`); empty: the node's own."""


class SignalForm(msgspec.Struct, frozen=True, kw_only=True, tag="signal"):
    """A sanitized form of a recording, named in an agreement's manifest."""

    name: str
    samples: bool = True
    """False: the metadata alone."""
    annotated: bool = False
    """Only the span from the first annotated sample to the last."""
    bandwidth_hz: float | None = None
    """Filtered to so much around the centre and decimated; `None` leaves it."""
    position_deg: float | None = None
    """The receiver's position on a grid of so many degrees; `None`: not told."""
    time: Grain = Grain.DAY
    delay_h: int = 0
    marking: str = ""
    sanitizer: str = ""


MediaForm = ImageryForm | SignalForm

# --- Partners and outcomes -----------------------------------------------------------------------


class Partner(msgspec.Struct, frozen=True, kw_only=True):
    """A standing relation to another organisation, as the officer set it."""

    party: Party
    name: str
    tls_key: str
    """SHA-256 of the DER SubjectPublicKeyInfo of its TLS certificate, hex: this is who it is."""
    signing_key: str
    """Its Ed25519 public key, base64."""
    former_keys: tuple[str, ...] = ()
    """Keys that it signed with before, the oldest first; what they signed is still taken."""
    revoked_keys: tuple[str, ...] = ()
    """Its signing keys in which there is no trust any more, whatever they signed and when."""
    revoked_tls: tuple[str, ...] = ()
    """The same of its TLS keys, each as in `tls_key`."""
    url: str
    """Its TAXII discovery URL; of a plain server, its API root."""
    collection: str | None = None
    """Of a plain TAXII server: the collection it is given releases in; `None` for a node."""
    clearance: tuple[tuple[Policy, Level], ...] = ()
    needs: frozenset[str] = frozenset()
    reach: Reach = Reach.GREEN
    use: Use = Use.RED
    duties: frozenset[str] = frozenset()

    @property
    def kind(self) -> Literal["node", "taxii"]:
        """A `taxii` partner is a plain server: it is given releases, sends nothing, and has no keys."""
        return "node" if self.collection is None else "taxii"


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why an outcome is what it is: for officers and the private ledger, never for a partner."""

    check: int
    """The numbered check of `gate.consider` that spoke."""
    code: str
    """A closed, documented code: `label.release`, `agreement.none`, ..."""
    clause: str = ""
    """`AGREEMENT/CLAUSE` where a clause decided."""
    detail: str = ""


class Whole(msgspec.Struct, frozen=True, kw_only=True, tag="whole"):
    partner: Party
    reasons: tuple[Reason, ...]


class Tearline(msgspec.Struct, frozen=True, kw_only=True, tag="tearline"):
    """The portions that may go (texts and labels), and their joined label.

    Of imagery and signals: no portions, and the form in which it goes.
    """

    partner: Party
    portions: tuple[Portion, ...]
    label: Label
    reasons: tuple[Reason, ...]
    form: MediaForm | None = None


class Refer(msgspec.Struct, frozen=True, kw_only=True, tag="refer"):
    """`portions`, `label`: the tearline that goes if an officer lets it; none where that is not for them."""

    partner: Party
    reasons: tuple[Reason, ...]
    portions: tuple[Portion, ...] = ()
    label: Label | None = None


class Withhold(msgspec.Struct, frozen=True, kw_only=True, tag="withhold"):
    partner: Party
    reasons: tuple[Reason, ...]


Outcome = Whole | Tearline | Refer | Withhold
