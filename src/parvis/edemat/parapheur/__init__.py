"""The parapheur: a document is endorsed, then signed by the person entitled to, along a circuit."""
