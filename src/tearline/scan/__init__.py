"""The scanner: finds known identities in any text, however they are written."""
