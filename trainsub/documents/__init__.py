"""The ``--json`` documents and how they are made from values. Pure."""
