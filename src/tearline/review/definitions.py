"""What the figures of a review mean: one paragraph for each table."""

DEFINITIONS = {
    "exposure": (
        "The likelihood that what the partner is given comes to the adversary along any way of passing "
        "on, from the officer's own estimates; low and high are the ends of their ranges. Exact where "
        "few edges matter; else by drawn worlds, with the standard error beside it. The way shown is the "
        "likeliest single one."
    ),
    "compromise": (
        "Persons who could still be the source, by all that this partner was told, out of those in its "
        "population; and if all partners leaked together. Bits: how much was learnt, log2(persons / "
        "left). k: what the source is owed. The source that is most exposed stands first."
    ),
    "changes": (
        "Items of the past, each judged at its own time, by the agreements that are in force now and by "
        "those of the scenario. An item counts once for each partner. Whom label and third-party rule "
        "let in is as it is today."
    ),
    "cells": (
        "The same changes by month, category and topic. An item with two topics is in two rows, so the "
        "rows add up to more than the totals."
    ),
    "clauses": (
        "The same changes by what decides them, now and then, as AGREEMENT/CLAUSE. Each item counts once for "
        "each partner, so the rows add up to the totals. Items that no clause can tell apart are one kind; "
        "Cedar is asked about one item of each kind, the most frequent kinds first."
    ),
    "examples": (
        "The first items of each kind of change for each partner. The outcomes and clauses are Cedar's "
        "own answers, asked again for each example."
    ),
    "dependency": (
        "Of what each party holds: how much others made (`from allies`), and how much of the whole the "
        "biggest of them made. An item counts once, under the one who made it, through however many "
        "hands it came. Value: an item counts for each requirement that it answers, 5 for priority 1 "
        "down to 1 for priority 5 (without a file of requirements each item counts 1), times one more "
        "than the number of the holder's own products that refer to it. Concentration: the Herfindahl-"
        "Hirschman index over the allies, 1 where one ally made all. Single: items that one ally alone "
        "gave."
    ),
    "losses": (
        "Making: nobody gets what this ally made any more. Giving: it gives this holder nothing more, "
        "and what others gave too stays. Shares of all the holder's items. Concentration: what the index "
        "is then."
    ),
    "coverage": (
        "A requirement is answered in a month in which its holder has as many fitting items as its "
        "cadence asks for. Covered: the share of the months of the period in which it is. Gap: the "
        "weight of its priority times what is not covered at the last stage. The greatest gap stands "
        "first."
    ),
    "requirements": (
        "A requirement tells what its holder does not know, so it goes to a partner by the gate or not "
        "at all. "
        "What the gate would answer for each of this node's requirements, by its marking and the agreements "
        "and suspensions in force; the vault's scan for sources, which comes after, can only hold back more. "
        "Nothing is sent by a review: `tearline requirement send` does."
    ),
    "untying": (
        "The next step is always the one that loses least of what is left; steps that lose nothing come "
        "first. Loss: the share of this node's value that goes with the step. How to come back is said "
        "for each."
    ),
    "ties": (
        "What stands in the node's own records: agreements, consents, keys, deliveries that wait, and "
        "requirements that it alone answers."
    ),
    "relations": (
        "Officers' own assessments, from the file of relations: the newest of each partner and domain, "
        "and the one before. -2 is hostile, 2 close. They inform; no rule reads them."
    ),
    "divergences": (
        "Threats on this node's declared list that the partner's list has not, and the other way round."
    ),
    "orders": ("Orders of others that bear on sharing, open on the day of this review."),
    "shares-by-originator": "Shares of a holder's items add up to 1. An item counts for the one who made it.",
    "shares-by-giver": (
        "An item that several gave counts in equal parts for each. What a party made it has of itself. "
        "Shares of a holder's items add up to 1."
    ),
}
