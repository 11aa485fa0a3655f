"""What is to be done about files, none of it in the worker's thread: looked at, stored, made, verified.

`jobs` and `keep` are acts of the node. `do` takes as long as a file is large; it needs no node.
"""

from __future__ import annotations

from tearline.adapters import store
from tearline.adapters.blobs import Blobs
from tearline.node import arrivals, forms
from tearline.node.opened import Node
from tearline.node.receive import take_complete
from tearline.node.suspend import refused_givers

Job = arrivals.Arrival | forms.Wanted
Done = arrivals.Looked | forms.Done


def jobs(node: Node) -> list[Job]:
    """What is to be done now: what partners gave first. What waited for a file that is here is taken in."""
    with node.reading() as db:
        givers = store.givers_of_complete(db)
    if givers:
        for giver in sorted(givers & node.partners.keys() - refused_givers(node)):
            take_complete(node, giver)
    return [*arrivals.waiting(node), *forms.wanted(node)]


def do(blobs: Blobs, job: Job) -> Done:
    return forms.make(blobs, job) if isinstance(job, forms.Wanted) else arrivals.look(blobs, job)


def keep(node: Node, job: Job, done: Done) -> None:
    """Write down what came of a job."""
    if isinstance(job, forms.Wanted) and isinstance(done, forms.Done):
        forms.keep(node, job, done)
    elif isinstance(job, arrivals.Arrival) and isinstance(done, arrivals.Looked):
        arrivals.keep(node, job, done)


def under_way(node: Node) -> int:
    """How many files are waited for or to be made, and answers about to be asked for anew."""
    with node.reading() as db:
        return store.files_under_way(db, store.stamp(node.clock()))


def attend(node: Node) -> int:
    """Do all that is to be done, here and now; returns how many jobs that were."""
    count = 0
    while found := jobs(node):
        for job in found:
            keep(node, job, do(node.blobs, job))
        count += len(found)
    return count
