"""The vault: real identities of sources. They leave it for nobody."""
