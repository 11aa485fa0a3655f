"""Nothing that was not allowed goes: canaries in every writable field of a recording, none in any form."""

from __future__ import annotations

import base64
import copy
import json
import re
import struct
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tearline.terms import Grain, SignalForm
from tests.recordings import RATE, archive, files, make, metadata, noise, verify

WORDS = st.from_regex(r"[A-Z]{6}[0-9]{6}", fullmatch=True)
FORMS = st.builds(
    SignalForm,
    name=st.just("form"),
    samples=st.booleans(),
    annotated=st.booleans(),
    bandwidth_hz=st.sampled_from([None, RATE / 2, RATE / 7]),
    position_deg=st.sampled_from([None, 0.01, 1.0]),
    time=st.sampled_from(Grain),
)
GLOBAL_TEXT = ["author", "collection", "data_doi", "description", "hw", "license", "meta_doi", "recorder"]
NOTE_TEXT = ["label", "comment", "generator", "uuid"]
# Fields of the extensions in SigMF's own repository, and some that nobody knows.
EXTENSIONS = [
    "antenna:model",
    "antenna:azimuth_angle",
    "capture_details:source_file",
    "capture_details:gain",
    "spatial:aperture_azimuth",
    "spatial:emitter_location",
    "traceability:last_modified",
    "traceability:sample_length",
    "signal:detail",
    "volatile:array_annotations",
    "adsb:icao_addr",
    "harbour:serial",
    "core:serial",
    "core:unheard_of",
    "no namespace at all",
]
HEADER, TRAILER, OFFSET = 24, 36, 7_654_321


def planted(word: str, datatype: str) -> tuple[dict[str, Any], bytes]:
    """A recording that says `word` wherever a text may stand, and numbers of its own wherever one may."""
    nested = {"deep": [word, {word: word}], "text": word}
    extras: dict[str, Any] = dict.fromkeys(EXTENSIONS, word) | {
        "harbour:deep": nested,
        f"{word.lower()}:key": 1,
    }
    point = {
        "type": "Point",
        "coordinates": [24.123456789, 59.987654321, 123.25],
        word: word,
        "bbox": [1, 2, 3, 4],
    }
    meta = metadata(datatype)
    meta["global"] |= {f"core:{name}": word for name in GLOBAL_TEXT} | copy.deepcopy(extras)
    meta["global"] |= {
        "core:dataset": f"{word}.wav",
        "core:offset": OFFSET,
        "core:trailing_bytes": TRAILER,
        "core:geolocation": point,
        "core:extensions": [{"name": word, "version": word, "optional": True}],
    }
    meta["captures"] = [
        {
            "core:sample_start": OFFSET + at,
            "core:global_index": 987_654_321 + at,
            "core:datetime": f"2031-05-17T14:31:{9 + at // 1000:02}.135790Z",
            "core:frequency": 433_000_000.0,
            "core:header_bytes": HEADER,
            "core:geolocation": point,
            **copy.deepcopy(extras),
        }
        for at in (0, 1000)
    ]
    meta["annotations"] = [
        {"core:sample_start": OFFSET + 100, "core:sample_count": 1700}
        | {f"core:{name}": word for name in NOTE_TEXT}
        | copy.deepcopy(extras)
    ]
    read = noise(datatype, 2000)
    row = len(read) // 2000
    mark = word.encode()
    data = (
        (mark * 2)[:HEADER]
        + read[: 1000 * row]
        + (mark * 2)[:HEADER]
        + read[1000 * row :]
        + (mark * 3)[:TRAILER]
    )
    return meta, data


def archived(path: Path, word: str, datatype: str) -> Path:
    """In names, owners, pax records and a folder of the archive as well."""
    meta, data = planted(word, datatype)
    archive(
        path,
        meta,
        data,
        stem=f"{word}/{word}",
        dataset=f"{word}.wav",
        entry=_folder(word),
        pax={"comment": word, "uname": word, "gname": word, "mtime": "1234567890.987654321"},
    )
    return path


def _folder(word: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(word)
    info.type, info.uname, info.gname, info.mtime = tarfile.DIRTYPE, word, word, 1_234_567_890
    return info


@settings(max_examples=40, deadline=None)
@given(word=WORDS, form=FORMS, datatype=st.sampled_from(["cf32_le", "ri16_be", "cu8"]))
def test_no_canary_is_in_any_form(word: str, form: SignalForm, datatype: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = archived(Path(folder) / "a.sigmf", word, datatype)
        assert source.read_bytes().count(word.encode()) > 50
        path, made = make(source, form, "TLP:GREEN")
        assert verify(path, form, made, "TLP:GREEN") == ()
        read = path.read_bytes()
        for spelt in _spellings(word):
            assert spelt not in read
        meta = files(path)[0]
        meta["global"].pop("core:sha512", None)
        text = json.dumps(meta)
        told = re.findall(r"\d+(?:\.\d+)?", text)
        assert not {"123.25", "24.123456789", "59.987654321", str(OFFSET), "987654321", "36", "24"} & set(
            told
        )
        assert ("135790" in text) <= (form.time is Grain.EXACT)
        assert "bbox" not in text
        assert word not in " ".join(made.did)


def _spellings(word: str) -> list[bytes]:
    raw = word.encode()
    texts = [raw, raw.lower(), raw[::-1], base64.b64encode(raw).rstrip(b"="), raw.hex().encode()]
    return [*texts, word.encode("utf-16-le"), word.encode("utf-16-be"), struct.pack(f"<{len(word)}I", *raw)]
