"""Open data: what an organisation publishes for everybody to reuse (CRPA art. L312-1-1), tables first."""
