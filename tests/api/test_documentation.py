"""docs/api.md shows what the API takes and gives."""

import json
import re
from pathlib import Path

from tests.api.conftest import Client

PAGE = (Path(__file__).parents[2] / "docs/api.md").read_text(encoding="utf-8")
SENT, SENT_WRONG = (json.loads(body) for body in re.findall(r"-d '(.*?)'", PAGE))
ANSWERED, REFUSED = (json.loads(body) for body in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))


async def test_the_batch_shown_is_answered_as_shown_however_often_it_is_sent(client: Client) -> None:
    key = {"Idempotency-Key": "day-end-26-11"}

    answers = [await client.post("/api/v1/batches", json=SENT, headers=key) for _ in range(2)]

    assert [(answer.status, answer.body) for answer in answers] == [(202, ANSWERED)] * 2


async def test_the_refusal_shown_is_the_one_given(client: Client) -> None:
    answer = await client.post("/api/v1/batches", json=SENT_WRONG)

    assert (answer.status, answer.body) == (422, REFUSED)


async def test_what_is_shown_of_a_batch_is_there(client: Client) -> None:
    await client.post("/api/v1/batches", json=SENT)

    shown = [await client.get(path) for path in re.findall(r'"\$API(/api/v1/batches/\S+)"', PAGE)]

    assert [answer.status for answer in shown] == [200, 200, 200]
