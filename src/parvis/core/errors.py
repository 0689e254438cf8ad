"""Errors of the domain: each carries the French sentence shown to the user and data for the log."""


class DomainError(Exception):
    """A rule of the domain was not met.

    ``sentence`` is the French text for the user: it names the field or file, the rule and the way out.
    ``data`` goes to the log and never to the screen.
    """

    def __init__(self, sentence: str, **data: object) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.data = data
