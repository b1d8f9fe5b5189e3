"""A queue that is a project of Label Studio, asked over HTTP.

`LABEL_STUDIO_URL` says where it is and `LABEL_STUDIO_API_KEY` who asks: a personal access token, or a legacy token
where the organization has those. Its annotators are Label Studio's users.
"""

import base64
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import quoteattr

import urllib3

from seaway.errors import InvalidSpec, LabelsUnavailable, NameTaken
from seaway.labeling import Answers, Item, Label, Question
from seaway.labeling.items import IMAGE, TABLE, Value, latest

URL, KEY = "LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY"
OURS = "seaway_key"  # in a task's data, the item's key
CONTROL = "label"
AT_ONCE = 100  # tasks of one import
TIMEOUT_S = 60.0
RETRIES = urllib3.Retry(total=4, backoff_factor=0.5, status_forcelist=(502, 503, 504), allowed_methods=("GET",))
OK = range(200, 300)
TOLD = 300  # signs of an answer in a message
SIGNS = {b"\x89PNG": "png", b"\xff\xd8": "jpeg", b"GIF8": "gif", b"RIFF": "webp", b"BM": "bmp"}


class LabelStudioQueue:
    """Projects of one server, by their titles."""

    def send(self, name: str, question: Question, items: Sequence[Item]) -> int:
        """See `LabelQueue`."""
        server = Server.named()
        project = server.project(name)
        if project is None:
            project = server.create(name, question)
        elif project["label_config"].strip() != config(question):
            raise NameTaken(
                f"Label Studio's project {name!r} asks another question, or its labeling setup was changed; give the "
                "new one a name of its own."
            )
        there = {task["data"].get(OURS) for task in server.tasks(project["id"])}
        new = [item for item in items if item.key not in there]
        for start in range(0, len(new), AT_ONCE):
            tasks = [_task(item, question) for item in new[start : start + AT_ONCE]]
            server.ask("POST", f"/api/projects/{project['id']}/import", tasks)
        return len(new)

    def answers(self, name: str) -> Answers:
        """See `LabelQueue`."""
        server = Server.named()
        project = server.project(name)
        if project is None:
            raise LabelsUnavailable(f"{server.url} has no project {name!r} that this token may see; send items to it.")
        people = {person["id"]: person["email"] or str(person["id"]) for person in server.ask("GET", "/api/users")}
        labels: list[Label] = []
        refused: list[str] = []
        for task in server.tasks(project["id"]):
            where = f"{server.url}/projects/{project['id']}/data?task={task['id']}"
            if not isinstance(key := task["data"].get(OURS), str):
                refused.append(f"{where}: was not sent by Seaway.")
                continue
            for one in sorted(task["annotations"], key=lambda one: str(one["updated_at"])):
                value, reason = _answer(one)
                if reason:
                    refused.append(f"{where}: {reason}")
                else:
                    labels.append(Label(key, _who(one, people), value, one.get("lead_time")))
        return Answers(latest(labels), refused)

    def address(self, name: str) -> str:
        """The project's page, or the server's where there is no such project yet."""
        server = Server.named()
        project = server.project(name)
        return f"{server.url}/projects/{project['id']}/data" if project else server.url


@dataclass(frozen=True)
class Server:
    """A server and the header that says who asks."""

    url: str
    authorization: str

    @classmethod
    def named(cls) -> "Server":
        """That of the environment.

        Raises:
            InvalidSpec: a variable is not set.
            LabelsUnavailable: a personal access token is refused.
        """
        url, key = os.environ.get(URL, "").rstrip("/"), os.environ.get(KEY, "")
        if not url or not key:
            raise InvalidSpec(f"Set {URL} to where Label Studio is, and {KEY} to a token of it.")
        if key.count(".") != 2:  # noqa: PLR2004 - a JSON web token has three parts, a legacy token has one
            return cls(url, f"Token {key}")
        access = cls(url, "").ask("POST", "/api/token/refresh", {"refresh": key})
        return cls(url, f"Bearer {access['access']}")

    def project(self, title: str) -> dict[str, Any] | None:
        """The project of that title; None where there is none."""
        page, size = 1, 100
        while True:
            asked = urlencode({"title": title, "page": page, "page_size": size})
            found = self.ask("GET", f"/api/projects?{asked}")
            for one in found["results"]:
                if one["title"] == title:
                    project: dict[str, Any] = one
                    return project
            if not found.get("next"):
                return None
            page += 1

    def create(self, title: str, question: Question) -> dict[str, Any]:
        """A new project that asks the question; nobody's prediction is shown unless they ask for it."""
        wanted = {
            "title": title,
            "description": question.title,
            "label_config": config(question),
            "expert_instruction": question.instructions,
            "show_instruction": bool(question.instructions),
            "show_collab_predictions": False,
        }
        made: dict[str, Any] = self.ask("POST", "/api/projects", wanted)
        return made

    def tasks(self, project: int) -> Iterator[dict[str, Any]]:
        """All tasks, each with its annotations."""
        asked = urlencode({"exportType": "JSON", "download_all_tasks": "true"})
        yield from self.ask("GET", f"/api/projects/{project}/export?{asked}")

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON answer. Raises: LabelsUnavailable: there is none, or it is a refusal."""
        headers = {"content-type": "application/json"} | (
            {"authorization": self.authorization} if self.authorization else {}
        )
        content = None if body is None else json.dumps(body).encode()
        try:
            answer = urllib3.request(
                method,
                self.url + path,
                body=content,
                headers=headers,
                timeout=TIMEOUT_S,
                retries=RETRIES,
                redirect=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise LabelsUnavailable(f"Label Studio at {self.url} does not answer: {error}.") from error
        try:
            if answer.status in OK:
                return answer.json()
        except ValueError:  # an unknown page is HTML
            pass
        said = answer.data.decode(errors="replace")[:TOLD]
        raise LabelsUnavailable(
            f"Label Studio answered {answer.status} to {method} {self.url}{path.split('?', maxsplit=1)[0]}: {said}"
        )


def config(question: Question) -> str:
    """The labeling setup: what is shown, and one choice of the classes."""
    seen = "".join(_seen(place, name, question) for place, name in enumerate(question.shown))
    if question.kind == TABLE:
        seen = '<Table name="shown" value="$row"/>'
    head = f"<Header value={quoteattr(question.title)}/>" if question.title else ""
    choices = "".join(f"<Choice value={quoteattr(name)}/>" for name in question.classes)
    to = "shown" if question.kind == TABLE else "shown_0"
    return (
        f'<View>{head}{seen}<Choices name="{CONTROL}" toName="{to}" choice="single-radio" showInline="true">'
        f"{choices}</Choices></View>"
    )


def _seen(place: int, name: str, question: Question) -> str:
    tag = "Image" if question.kind == IMAGE and place == 0 else "Text"
    head = f'<Header size="5" value={quoteattr(name)}/>' if len(question.shown) > 1 else ""
    return f'{head}<{tag} name="shown_{place}" value="$shown_{place}"/>'


def _task(item: Item, question: Question) -> dict[str, Any]:
    """As Label Studio imports it, with the model's prediction."""
    values = {name: _value(item.data.get(name)) for name in question.shown}
    shown = {"row": values} if question.kind == TABLE else {f"shown_{n}": v for n, v in enumerate(values.values())}
    to = "shown" if question.kind == TABLE else "shown_0"
    answer = {"from_name": CONTROL, "to_name": to, "type": "choices", "value": {"choices": [item.prediction]}}
    predictions = [{"model_version": "seaway", "score": item.score, "result": [answer]}] if item.prediction else []
    return {"data": {OURS: item.key, **shown}, "predictions": predictions}


def _value(value: Value) -> Any:
    """A picture as a data URI, which needs no storage beside the server."""
    if not isinstance(value, bytes):
        return "" if value is None else value
    kind = next((kind for sign, kind in SIGNS.items() if value.startswith(sign)), "png")
    return f"data:image/{kind};base64,{base64.b64encode(value).decode()}"


def _answer(annotation: Mapping[str, Any]) -> tuple[str, str]:
    """The class, empty where the item was skipped, and why it cannot be used."""
    if annotation.get("was_cancelled"):
        return "", ""
    found = [one["value"]["choices"] for one in annotation["result"] if one.get("from_name") == CONTROL]
    chosen = [choice for choices in found for choice in choices]
    return (chosen[0], "") if len(chosen) == 1 else ("", f"an annotation has {len(chosen)} classes; one is asked.")


def _who(annotation: Mapping[str, Any], people: Mapping[int, str]) -> str:
    by = annotation["completed_by"]
    number = by["id"] if isinstance(by, dict) else by
    return people.get(number, f"user {number}")
