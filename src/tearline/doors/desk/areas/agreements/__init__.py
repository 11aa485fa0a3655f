"""Agreements: every version and what it lacks, texts with checks as one types, steps with their approvals."""

from tearline.doors.desk.areas.agreements import difference, draft, evidence, listing, steps, version
from tearline.doors.desk.areas.agreements.area import area

__all__ = ["area", "difference", "draft", "evidence", "listing", "steps", "version"]
