"""What is sent to a model's pod with an image, and what comes back."""

import base64
from typing import Annotated

from pydantic import Field, ValidationError

from nameplate.campaign.challenge import ModelSettings
from nameplate.records import Record
from nameplate_challenge.request import ENDINGS, Request

PORT = 8100
MOST_QUESTION = 65_536
"""Bytes of a question without its image."""
MOST_IMAGE = 1 << 30
MOST_ANSWER = 1 << 30


class Question(Record):
    """How the model is run; the same for all cases of a campaign's model."""

    command: str
    serve: bool
    environment: dict[str, str]
    seconds: Annotated[float, Field(gt=0, le=86_400)]
    start_seconds: Annotated[float, Field(ge=0, le=86_400)]
    gzip: bool

    @classmethod
    def of(cls, given: ModelSettings, *, gzip: bool) -> "Question":
        """That of a campaign's model."""
        return cls(
            command=given.said,
            serve=given.serve is not None,
            environment=given.environment,
            seconds=given.seconds,
            start_seconds=given.start_seconds,
            gzip=gzip,
        )


class Answer(Record):
    """What the model has printed and written, or why it has given no answer."""

    printed: str = ""
    files: dict[str, str] = Field(default_factory=dict)
    """What it has written, base64, by the ending of the name."""
    reason: str = ""
    """Why there is no answer, without the word that it is the model's."""
    said: str = ""

    @classmethod
    def of(cls, request: Request, printed: str) -> "Answer":
        """The answer to a request; a file that is larger than any answer is cut, and so is none."""
        files = {}
        for path in request.written():
            with path.open("rb") as file:
                data = file.read(MOST_ANSWER // 2)
            files[path.name.removeprefix(request.output.name)] = base64.b64encode(data).decode()
        return cls(printed=printed, files=files)

    def write(self, request: Request) -> None:
        """Write its files where those of a model on this machine would be. Raises ValueError for others."""
        for ending, text in self.files.items():
            if ending not in ENDINGS:
                raise ValueError("a file of another name")
            path = request.output.with_name(request.output.name + ending)
            path.write_bytes(base64.b64decode(text, validate=True))


def read_answer_line(data: bytes) -> Answer:
    """An answer from a pod that runs a stranger's code. Raises ValueError for anything else."""
    try:
        return Answer.model_validate_json(data)
    except ValidationError as error:
        raise ValueError("not an answer") from error
