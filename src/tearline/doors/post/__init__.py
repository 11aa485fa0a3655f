"""The post room: all of a node that touches the network, in a process of its own.

It holds the doors, pushes what stands in partners' views and pulls what partners could not push. It is given
the views, a secret for each, and the TLS key: no products, no signing key, no secret of the node. Where the
kernel knows Landlock, it can open nothing else.
"""

from tearline.doors.post.process import PostRoom
from tearline.doors.post.talk import Admit, Peer, Settings

__all__ = ["Admit", "Peer", "PostRoom", "Settings"]
