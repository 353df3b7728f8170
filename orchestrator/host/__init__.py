"""What the host says in files, and what it hears: texts in, events out; events in, messages out."""
