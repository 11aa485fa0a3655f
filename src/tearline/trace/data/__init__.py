"""The reviewed lexicons of wordings that say the same."""
