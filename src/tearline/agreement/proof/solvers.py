"""z3 and cvc5, asked the same: is there a point at which these terms hold?

Terms become clauses of literals, and those the SMT-LIB text that both solvers read. A variable of n
values is n - 1 literals "its value is at least k". As terms know no negation but at the leaves, a term's
name need only imply its parts (Plaisted and Greenbaum, 1986): what is not asked about costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Protocol

from tearline.agreement.proof.logic import Among, Every, Point, Term, Terms, Variable

Literal = str
"""A name, or `(not name)`."""


class NotInstalled(Exception):
    """The solver, named here, is not there."""


class OutOfTime(Exception):
    """The solver did not decide in time."""


class Solver(Protocol):
    """Raises `NotInstalled` when made. `seconds`: for one answer, at most."""

    name: str

    def __init__(self, terms: Terms, seconds: float) -> None: ...

    def find(self, wanted: Sequence[Term]) -> Point | None:
        """A point at which all of `wanted` hold; `None` where there is none. Raises `OutOfTime`."""
        ...


class Text:
    """The terms as SMT-LIB, piece by piece, as they are asked about."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self._known: dict[Term, Literal] = {}
        self._declared = 0
        self._new: list[str] = []

    def literals(self, wanted: Sequence[Term]) -> list[Literal]:
        """What stands for `wanted`; `new` then has what the solver must know of it."""
        for variable in self.terms.variables[self._declared :]:
            names = [at_least(variable, value) for value in range(1, variable.size)]
            self._new += (f"(declare-const {name} Bool)" for name in names)
            self._new += (f"(assert (or {less} (not {more})))" for less, more in pairwise(names))
        self._declared = len(self.terms.variables)
        return [self._literal(term) for term in wanted]

    def new(self) -> str:
        """What was not yet told."""
        new, self._new = self._new, []
        return "\n".join(new)

    def _literal(self, term: Term) -> Literal:
        if term not in self._known:
            self._known[term] = self._told(term)
        return self._known[term]

    def _told(self, term: Term) -> Literal:
        node = self.terms.nodes[term]
        if isinstance(node, Among):
            clauses = list(_leaf(node.variable, node.values))
            if len(clauses) == 1 and len(clauses[0]) == 1:
                return clauses[0][0]
        else:
            parts = [self._literal(part) for part in node.parts]
            clauses = [[part] for part in parts] if isinstance(node, Every) else [parts]
        name = f"t{term}"
        self._new.append(f"(declare-const {name} Bool)")
        self._new += (f"(assert (or (not {name}) {' '.join(clause)}))" for clause in clauses)
        return name


def at_least(variable: Variable, value: int) -> str:
    return f"v{variable.number}_{value}"


def _leaf(variable: Variable, values: int) -> Iterator[list[Literal]]:
    """The value is in none of the gaps: below each or above it."""
    value = 0
    while value < variable.size:
        if values >> value & 1:
            value += 1
            continue
        first = value
        while value < variable.size and not values >> value & 1:
            value += 1
        below = [f"(not {at_least(variable, first)})"] if first else []
        yield below + ([at_least(variable, value)] if value < variable.size else [])


def _point(variables: Sequence[Variable], holds: Callable[[str], bool]) -> Point:
    return tuple(
        sum(holds(at_least(variable, value)) for value in range(1, variable.size)) for variable in variables
    )


def _split(literal: Literal) -> tuple[str, bool]:
    """The name, and whether it is to hold."""
    return (literal[5:-1], False) if literal.startswith("(not ") else (literal, True)


class Z3:
    """z3's incremental SAT engine, in a context of its own.

    Models are read through `z3core`: the wrapped calls cost several times the search.
    """

    name = "z3"

    def __init__(self, terms: Terms, seconds: float) -> None:
        try:
            import z3  # noqa: PLC0415 (an extra)
        except ImportError:
            raise NotInstalled(self.name) from None
        self._z3: Any = z3
        self._text = Text(terms)
        self._context = z3.Context()
        self._solver: Any = z3.SolverFor("QF_FD", ctx=self._context)
        self._solver.set("random_seed", 0)
        self._solver.set("timeout", max(1, int(seconds * 1000)))
        self._constants: dict[str, Any] = {}
        self._declared: dict[str, Any] = {}

    def find(self, wanted: Sequence[Term]) -> Point | None:
        literals = [_split(literal) for literal in self._text.literals(wanted)]
        if new := self._text.new():
            self._solver.from_string(new)
        assumed = [self._literal(name, holds) for name, holds in literals]
        answer = self._solver.check(*assumed)
        if answer == self._z3.unknown:
            raise OutOfTime
        if answer == self._z3.unsat:
            return None
        core, context, model = self._z3.z3core, self._context.ref(), self._solver.model()

        def holds(name: str) -> bool:
            if name not in self._declared:
                self._declared[name] = self._constant(name).decl()
            found = core.Z3_model_get_const_interp(context, model.model, self._declared[name].ast)
            return bool(found) and core.Z3_get_bool_value(context, found) == self._z3.Z3_L_TRUE

        return _point(self._text.terms.variables, holds)

    def _constant(self, name: str) -> Any:
        if name not in self._constants:
            self._constants[name] = self._z3.Bool(name, self._context)
        return self._constants[name]

    def _literal(self, name: str, holds: bool) -> Any:
        constant = self._constant(name)
        return constant if holds else self._z3.Not(constant, self._context)


class CVC5:
    """cvc5 in incremental mode, fed through its own parser."""

    name = "cvc5"

    def __init__(self, terms: Terms, seconds: float) -> None:
        try:
            import cvc5  # noqa: PLC0415 (an extra)
        except ImportError:
            raise NotInstalled(self.name) from None
        self._text = Text(terms)
        self._solver: Any = cvc5.Solver(cvc5.TermManager())
        options = {"incremental": "true", "produce-models": "true", "seed": "0"}
        for option, value in {**options, "tlimit-per": str(max(1, int(seconds * 1000)))}.items():
            self._solver.setOption(option, value)
        self._parser: Any = cvc5.InputParser(self._solver)
        self._language = cvc5.InputLanguage.SMT_LIB_2_6
        self._symbols: Any = self._parser.getSymbolManager()
        self._constants: dict[str, Any] = {}
        self._tell("(set-logic QF_UF)")

    def find(self, wanted: Sequence[Term]) -> Point | None:
        literals = [_split(literal) for literal in self._text.literals(wanted)]
        if new := self._text.new():
            self._tell(new)
        assumed = [
            self._constants[name] if holds else self._constants[name].notTerm() for name, holds in literals
        ]
        answer = self._solver.checkSatAssuming(*assumed)
        if answer.isUnsat():
            return None
        if not answer.isSat():
            raise OutOfTime
        return _point(
            self._text.terms.variables,
            lambda name: bool(self._solver.getValue(self._constants[name]).getBooleanValue()),
        )

    def _tell(self, text: str) -> None:
        self._parser.setStringInput(self._language, text, "agreements")
        while not (command := self._parser.nextCommand()).isNull():
            command.invoke(self._solver, self._symbols)
        self._constants = {str(each): each for each in self._symbols.getDeclaredTerms()}
