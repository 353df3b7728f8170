"""VDA 5050 without I/O: the model in version 3.0's terms, codecs for 2.0, 2.1 and 3.0, life cycles."""
