"""Every address of Pagefate, and every name inside one, but those of `links_edit`: spelt and parsed here alone.

    /                                    the gallery
    /run/{scenario}/{kernel}?fs=&switch=&step=&at=      a run; `at` names a step by its event
    …&voice=&story=1&predict=1           how it is told: to whom, as a story, with questions before the answers
    …/step/{n}.txt                       behind a run or a short link: one step as text
    /s/{id}?step=n                       the same run by its short link
    …/others                             behind either: what comes of it on other kernels
    …/functions  …/events  …/trace       behind either: parts of its page that come when the page is there
    …/about                              behind a short link: who made it may delete it, who reads it may report it
    /compare/{scenario}?kernels=a,b&fs=&switch=&step=   two to four runs side by side
    /s/{id}/compare?kernels=a,b&fs=&switch=&step=       the same of a short link's script
    /print/{scenario}/{kernel}?blanks=   /print/{id}    either on paper
    /embed/{scenario}/{kernel}   /embed/s/{id}          either as a player in a frame of another site
    /oembed?url=&format=         how another site shows the run at an address
    /x?step=#…                   a run that is packed into its address; nothing is stored
    /qr/{id}.svg                 a short link for a telephone
    …/share                      behind a run or a short link: all ways to hand it on
    /kernel/{id}  /filesystem/{id}  /scenario/{id}(.yaml)      pages about one of them
    /-/patterns                          every object in every state
    /live/{room}                         a class looks at one step together; its parts are in `live`
    /challenges  /challenge/{name}       goals to reach with a scenario of one's own
    /api/v1/…  /docs  /openapi.json  /healthz  /readyz  /static/{version}/…

A kernel may have one of its switches on: `/run/mail/wli-corrected+N4`. A run, a short link or a step with one of
SUFFIXES behind its path is the same thing in another form.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from urllib.parse import parse_qsl, quote, unquote

GALLERY = "/"
DOCS = "/docs"
PATTERNS = "/-/patterns"
OPENAPI = "/openapi.json"
HEALTH = "/healthz"
READY = "/readyz"
METRICS = "/metrics"
MAKE = "/links"
CHALLENGES = "/challenges"
EMBED = "/embed"
OEMBED = "/oembed"
LONG = "/x"
LIVE = "/live"
FAVICON = "/favicon.ico"
API = "/api/v1"
STATIC = "/static"

SAFE = "@>.,/()"
"""What stays as it is in a query, so that a reader can read it."""

SUFFIXES = (
    ".perfetto.json", ".itf.json", ".anim.svg", ".card.png",
    ".json", ".txt", ".svg", ".png", ".csv", ".html", ".md", ".c",
)  # fmt: skip
"""The forms that a path may end in, the longer ones first."""

ALPHABET = "23456789abcdefghijkmnpqrstuvwxyz"
"""The letters of an id: lower case, and none that a reader confuses (0 and o, 1 and l)."""

DIGITS = 9
"""The longest number of a step that is read."""

_BITS = 5  # the bits that a letter of ALPHABET carries
ID_LENGTHS = (12, 16, 24)
"""The lengths an id may have. The longer ones are for contents whose shorter ids are taken."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ID = re.compile(f"[{ALPHABET}]{{10,32}}")
_ROOM = re.compile(f"[{ALPHABET}]{{8}}")


# --- ids ---------------------------------------------------------------------------------------------------


def ids(content: bytes) -> Iterator[str]:
    """The ids that `content` may have, the usual one first: the same content has the same ids for ever."""
    number = int.from_bytes(blake2b(content, digest_size=16).digest())
    letters = "".join(ALPHABET[number >> shift & 31] for shift in range(123, -1, -_BITS))
    for length in ID_LENGTHS:
        yield letters[:length]


def content_id(content: bytes) -> str:
    """The usual id of `content`."""
    return next(ids(content))


def is_id(text: str) -> bool:
    """Whether `text` could be the id of a short link."""
    return _ID.fullmatch(text) is not None


def is_room(text: str) -> bool:
    """Whether `text` could be the id of a live room."""
    return _ROOM.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """Whether `text` could be the name of a scenario or a kernel, rather than the text of a scenario."""
    return _NAME.fullmatch(text) is not None


# --- how a run is told -------------------------------------------------------------------------------------

VOICES = ("student", "developer")
"""Who a run is told to; the first is the usual one."""


@dataclass(frozen=True, slots=True)
class Mode:
    """How a run is told: to whom (empty: as the reader prefers), as a story, with questions before the answers."""

    voice: str = ""
    story: bool = False
    predict: bool = False

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> Mode:
        """The mode that a query asks for; what makes no sense there is as if it were not."""
        voice = query.get("voice", "")
        return cls(voice if voice in VOICES else "", query.get("story") == "1", query.get("predict") == "1")

    def query(self) -> dict[str, str]:
        """The mode as a query says it."""
        return {"voice": self.voice, "story": "1" if self.story else "", "predict": "1" if self.predict else ""}

    def free(self) -> Mode:
        """The same voice, without story and questions."""
        return Mode(self.voice)


# --- addresses ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RunLink:
    """The address of a run: what determines it, and the step it is opened on.

    A run has either a `scenario` of the gallery and a `kernel`, or a `link` (the id of a short link), which says
    both. `filesystem` and `switch` (a schedule, written as its preemptions) may be empty; beside a `link` they and
    `kernel` say what is to be different from what is kept under it. A `framed` one is for a frame of another site, a
    `packed` one carries all of the run behind its #, so that nobody has to keep it.
    """

    scenario: str = ""
    kernel: str = ""
    filesystem: str = ""
    switch: str = ""
    link: str = ""
    mode: Mode = Mode()
    framed: bool = False
    packed: str = ""

    def url(self, *, step: int | None = None, at: str = "", zoom: str = "", suffix: str = "") -> str:
        """The address of the run, opened on `step` or on the event `at`, in the form that `suffix` names."""
        told = {} if suffix else self.mode.query()
        query = _query(**self.fields(), **told, step=step, at=at, zoom=zoom)
        return self.path() + suffix + query + (f"#{self.packed}" if self.packed else "")

    def path(self) -> str:
        """The address up to its question mark."""
        if self.packed:
            return LONG
        if self.link:
            return f"{EMBED if self.framed else ''}/s/{_part(self.link)}"
        return f"{EMBED if self.framed else '/run'}/{_part(self.scenario)}/{_part(self.kernel)}"

    def embed(self, *, framed: bool = True) -> RunLink:
        """The same run in a frame, played freely; or as a page of its own again."""
        return replace(self, framed=framed, mode=self.mode.free())

    def fields(self) -> dict[str, str]:
        """What of the address stands behind its question mark, for a form that leads to the run."""
        said = {"kernel": self.kernel if self.link else "", "fs": self.filesystem, "switch": self.switch}
        return {name: value for name, value in said.items() if value}

    @classmethod
    def parse(cls, url: str) -> RunLink | None:
        """The run that an address of this site leads to, however it is told; None when it leads to none."""
        path, _, query = url.partition("?")
        said = dict(parse_qsl(query))
        filesystem, switch = said.get("fs", ""), said.get("switch", "")
        match [unquote(part) for part in path.split("/")]:
            case ["", "run", scenario, kernel] if scenario and kernel:
                return cls(scenario, kernel, filesystem, switch)
            case ["", "s", link] if is_id(link):
                return cls("", kernel_said(said.get("kernel", "")), filesystem, switch, link)
        return None

    def told(self, mode: Mode) -> RunLink:
        """The same run, told in another way."""
        return replace(self, mode=mode)

    def text(self, step: int) -> str:
        """The address of one step as text."""
        return self.url(suffix=f"/step/{step}.txt")

    def share(self) -> str:
        """The address of all ways to hand the run on."""
        return self.url(suffix="/share")

    def others(self) -> str:
        """The address of what comes of the same run on other kernels."""
        return self.url(suffix="/others")

    def part(self, name: str) -> str:
        """The address of a part of the page that comes when the page is there: `functions`, `events`, `trace`."""
        return self.url(suffix=f"/{name}")

    def paper(self, *, blanks: bool = False) -> str:
        """The address of the run on paper, as a handout with blanks if wanted."""
        path = f"/print/{_part(self.link)}" if self.link else f"/print/{_part(self.scenario)}/{_part(self.kernel)}"
        kernel = self.kernel if self.link else ""
        return path + _query(kernel=kernel, fs=self.filesystem, switch=self.switch, blanks=1 if blanks else "")

    def api(self) -> str:
        """The address of the full trace as data."""
        if self.link:
            return self.url(suffix=".json")
        path = f"{API}/runs/{_part(self.scenario)}/{_part(self.kernel)}"
        return path + _query(fs=self.filesystem, switch=self.switch)

    def moment(self, step: int) -> str:
        """The address of one step as data, with the state after it."""
        path = api("links", self.link) if self.link else api("runs", self.scenario, self.kernel)
        return f"{path}/steps/{step}" + _query(**self.fields())

    def under(self, kernel: str) -> RunLink:
        """The same scenario and schedule under another kernel, told in the same way."""
        return replace(self, kernel=kernel)

    def on(self, filesystem: str) -> RunLink:
        """The same on another filesystem, told in the same way; empty is the scenario's own."""
        return replace(self, filesystem=filesystem)

    def plain(self) -> str:
        """The address of the run itself, however it is told."""
        return self.told(Mode()).url()


def oembed(url: str) -> str:
    """Where to ask how to show the page at a whole address."""
    return f"{OEMBED}?url={quote(url, safe='')}"


def qr(link: str, step: int | None = None) -> str:
    """The picture that a telephone reads a short link from."""
    return f"/qr/{_part(link)}.svg" + _query(step=step)


LIVE_PARTS = ("events", "state", "step", "ask", "votes", "code", "driver", "end")
"""What stands behind the address of a room: what it tells, and what its driver and its followers send."""


def live(room: str, part: str = "") -> str:
    """A live room, or a part of it."""
    return f"{LIVE}/{_part(room)}" + (f"/{part}" if part else "")


def challenge(name: str) -> str:
    """The page of a challenge."""
    return f"/challenge/{_part(name)}"


def story(scenario: str, kernel: str) -> str:
    """The address of the story of a gallery run, from its beginning."""
    return RunLink(scenario, kernel, mode=Mode(story=True)).url()


@dataclass(frozen=True, slots=True)
class CompareLink:
    """The address of runs side by side: of one scenario on several kernels, or filesystems, or under several schedules.

    At most one of the three has more than one entry; one entry holds for all columns, none is the scenario's own.
    Instead of a `scenario` of the gallery it may be that of a short `link`.
    """

    scenario: str = ""
    kernels: tuple[str, ...] = ()
    filesystems: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()
    link: str = ""

    @classmethod
    def parse(cls, scenario: str, query: Iterable[tuple[str, str]], link: str = "") -> CompareLink:
        """The address that the names and values of a query say. A list has commas, or its name stands repeatedly."""
        said = list(query)
        kernels, kinds = (
            tuple(part.strip() for name, value in said if name == key for part in value.split(",") if part.strip())
            for key in ("kernels", "fs")
        )
        switches = tuple(value for name, value in said if name == "switch")
        return cls(scenario, tuple(map(kernel_said, kernels)), kinds, switches if any(switches) else (), link)

    def path(self) -> str:
        """The address up to its question mark."""
        return f"/s/{_part(self.link)}/compare" if self.link else f"/compare/{_part(self.scenario)}"

    def runs(self) -> list[RunLink]:
        """The address of each run."""
        return [
            RunLink(self.scenario, kernel, kind, switch, self.link)
            for kernel in self.kernels
            for kind in self.filesystems or ("",)
            for switch in self.switches or ("",)
        ]

    def url(self, *, step: int | None = None, suffix: str = "") -> str:
        """The address, opened on a beat, in the form that `suffix` names."""
        said = [("kernels", ",".join(self.kernels)), ("fs", ",".join(self.filesystems))]
        pairs = [(name, value) for name, value in said if value]
        pairs += [("switch", value) for value in self.switches]
        pairs += [] if step is None else [("step", str(step))]
        return self.path() + suffix + _said(pairs)


def short(link: str, *, step: int | None = None) -> str:
    """The address of a short link, opened on `step`."""
    return RunLink(link=link).url(step=step)


def about(link: str, part: str = "") -> str:
    """The page about a short link, or where its `part` is sent: "delete" or "report"."""
    return f"/s/{_part(link)}/{part or 'about'}"


def kernel(name: str) -> str:
    """The page about a kernel."""
    return f"/kernel/{_part(name)}"


def filesystem(name: str) -> str:
    """The page about a filesystem."""
    return f"/filesystem/{_part(name)}"


def switched(kernel: str, switch: str) -> str:
    """The name of a kernel with one of its switches on; without a switch, its own."""
    return f"{kernel}+{switch}" if switch else kernel


def kernel_said(text: str) -> str:
    """The name of a kernel as a query says it, where a plus sign that was not escaped has become a space."""
    return text.replace(" ", "+")


def scenario(name: str, suffix: str = "") -> str:
    """The page about a scenario of the gallery; with the suffix ".yaml", its text."""
    return f"/scenario/{_part(name)}{suffix}"


def slug(title: str) -> str:
    """A title as the name of a place within a page: "Who is told?" is "who-is-told"."""
    return "-".join(re.findall(r"[a-z0-9]+", title.lower()))


def api(*parts: str) -> str:
    """An address of the API: `api("kernels", "linux-2.6.9")`."""
    return "/".join((API, *(_part(part) for part in parts)))


def static(version: str, path: str) -> str:
    """The address of a static file, which never changes its content; `version` names all files together."""
    return f"{STATIC}/{_part(version)}/{quote(path)}"


def problem(kind: str) -> str:
    """The address that explains a kind of problem."""
    return f"{DOCS}#{_part(kind)}"


def split_suffix(name: str) -> tuple[str, str]:
    """The last part of a path, and the form it asks for: "linux-2.6.9.json" is ("linux-2.6.9", ".json")."""
    for suffix in SUFFIXES:
        if name.endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)], suffix
    return name, ""


def _part(text: str) -> str:
    return quote(text, safe="+")


def _query(**values: object) -> str:
    """The query that says `values`; empty ones are left out. What a reader can read stays readable."""
    return _said([(key, str(value)) for key, value in values.items() if value not in (None, "")])


def _said(pairs: Sequence[tuple[str, str]]) -> str:
    return f"?{'&'.join(f'{key}={quote(value, safe=SAFE)}' for key, value in pairs)}" if pairs else ""
