"""Live rooms over HTTP: a teacher opens one on a run and drives it, a class follows. See app/hub.py for the fan-out.

Who drives is known by a cookie that only the room's own addresses get and no script can read; the page, the state and
the stream of a follower have nothing in them that drives.
"""

from __future__ import annotations

from anyio import to_thread
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app import answers, forms, links, orders, qr, questions, rooms, serving, static_files, templating, tokens
from app.answers import HTML, JSON, Body
from app.hub import Channel, Hub
from app.links import RunLink
from app.orders import Order
from app.rooms import Room, Rooms
from app.streams import EventStream
from app.troubles import Trouble

live = APIRouter(include_in_schema=False)

DRIVER, BROWSER = "driver", "browser"
"""The cookies: what drives a room, and what makes a browser vote once. Each is set when it is needed, for one room."""
VARY = "Accept-Encoding, Cookie"


def hub(request: Request) -> Hub:
    """Who follows by this process."""
    found: Hub = request.app.state.hub
    return found


def kept(request: Request) -> Rooms:
    """All rooms."""
    found: Rooms = request.app.state.rooms
    return found


@live.post(links.LIVE)
async def open_room(request: Request) -> Response:
    """A new room on a run, at the step its teacher looks at: this browser drives it."""
    serving.own_site(request)
    said = await forms.form(request)
    order = await _order(request, said.get("run", ""))
    step = serving.step_within(await serving.runs(request).run(order), forms.number(said, "step"))
    room, token = await to_thread.run_sync(kept(request).open, order.link.url(), step)
    return _with_cookie(request, RedirectResponse(links.live(room.id), status_code=303), room.id, DRIVER, token)


@live.get(links.LIVE)
async def find_room(request: Request) -> Response:
    """Where a room is found by its letters, and how one is opened."""
    said = "".join(request.query_params.get("room", "").lower().split())
    if said:
        return RedirectResponse(links.live(said[:40]), status_code=303)
    return answers.answer(request, Body.of(templating.render("rooms.html"), HTML))


@live.get(links.LIVE + "/{room}")
async def show_room(request: Request, room: str) -> Response:
    """The page of a room, at the step of its teacher. It is the same for all followers, and made once a step."""
    channel = await _channel(request, room)
    now = rooms.see_that_it_is_open(channel.room)
    is_driver = await _drives(request, room)
    run = await serving.runs(request).run(await _order(request, now.run))
    address = serving.base(request) + links.live(room)
    key = static_files.tag(f"{address} {now} {is_driver} {channel.counts}")

    def paint() -> Body:
        picture = qr.svg(address) if is_driver else ""
        content = templating.render(
            "room.html", run=run, step=now.step, room=now, counts=channel.counts, is_driver=is_driver,
            address=address, picture=picture,
        )  # fmt: skip
        return Body.of(content, HTML, etag=key)

    body = await serving.runs(request).page(key, paint)
    return answers.answer(request, body, cache=answers.PRIVATE, vary=VARY)


@live.get(links.LIVE + "/{room}/events")
async def events(request: Request, room: str) -> Response:
    """The state of a room now, and at each change."""
    channel, is_driver = await _channel(request, room), await _drives(request, room)
    rooms.see_that_it_is_open(channel.room)
    most = serving.settings(request).max_followers
    if len(channel.boxes) >= most and not is_driver:
        cure = "Load the page again now and then: it shows the step of the class"
        raise Trouble("room-full", f"{most} browsers follow this room, and that is the most", cure=cure)
    box = hub(request).join(channel, is_driver=is_driver)
    return EventStream(box, lambda: hub(request).leave(channel, box))


@live.get(links.LIVE + "/{room}/state")
async def state(request: Request, room: str) -> Response:
    """The state of a room now, for who can not have a stream; a 304 while nothing changes."""
    channel = await _channel(request, room)
    body = Body.of(channel.state(is_driver=await _drives(request, room)), JSON)
    return answers.answer(request, body, cache=answers.PRIVATE, vary=VARY)


# --- what the driver sends ---------------------------------------------------------------------------------


@live.post(links.LIVE + "/{room}/step")
async def move(request: Request, room: str) -> Response:
    """Show a step to the class, of this run or of another."""
    token, said = _token(request), await forms.form(request)
    order = await _order(request, said.get("run", ""))
    step = serving.step_within(await serving.runs(request).run(order), forms.number(said, "step"))
    return await _done(request, await to_thread.run_sync(kept(request).move, room, token, order.link.url(), step))


@live.post(links.LIVE + "/{room}/ask")
async def ask(request: Request, room: str) -> Response:
    """Ask the class what the next step will be."""
    token, said = _token(request), await forms.form(request)
    run = await serving.runs(request).run(await _order(request, (await _channel(request, room)).room.run))
    step = forms.number(said, "step")
    found = next((each for each in questions.questions_of(run.trace) if each.step == step), None)
    if found is None:
        known = ", ".join(str(each.step) for each in questions.questions_of(run.trace)) or "none"
        raise Trouble("bad-request", f"There is no question about step {step}", cure=f"This run has: {known}")
    asked = rooms.Question(found.step, found.text, found.choices, found.right)
    return await _done(request, await to_thread.run_sync(kept(request).ask, room, token, asked))


@live.post(links.LIVE + "/{room}/end")
async def end(request: Request, room: str) -> Response:
    """Close the room for everybody."""
    return await _done(request, await to_thread.run_sync(kept(request).end, room, _token(request)))


@live.post(links.LIVE + "/{room}/code")
async def code(request: Request, room: str) -> Response:
    """A code by which another browser may drive in place of this one; it works once."""
    made = await to_thread.run_sync(kept(request).code, room, _token(request))
    return Response(made, headers={"Cache-Control": answers.NEVER}, media_type=answers.TEXT)


# --- what followers send -----------------------------------------------------------------------------------


@live.post(links.LIVE + "/{room}/driver")
async def take_over(request: Request, room: str) -> Response:
    """Drive the room by this browser from now on, with a code from who did so before."""
    serving.own_site(request)
    said = "".join((await forms.form(request)).get("code", "").lower().split())
    changed, token = await to_thread.run_sync(kept(request).take, room, said)
    await hub(request).changed(changed)
    return _with_cookie(request, RedirectResponse(links.live(room), status_code=303), room, DRIVER, token)


@live.post(links.LIVE + "/{room}/votes")
async def vote(request: Request, room: str) -> Response:
    """Say what the next step will be; a browser may change its mind while the question stands."""
    serving.own_site(request)
    choice = forms.number(await forms.form(request), "choice")
    browser = request.cookies.get(BROWSER) or tokens.token()
    await to_thread.run_sync(kept(request).vote, room, browser, choice)
    hub(request).voted(room)
    is_script = answers.wanted(request, "html") == "json"
    back = Response(status_code=204) if is_script else RedirectResponse(f"{links.live(room)}#voted", status_code=303)
    return _with_cookie(request, back, room, BROWSER, browser)


# --- within ------------------------------------------------------------------------------------------------


async def _channel(request: Request, room: str) -> Channel:
    found = await hub(request).channel(room) if links.is_room(room) else None
    if found is None:
        raise rooms.unknown()
    return found


async def _order(request: Request, run: str) -> Order:
    """The order of a run by its address.

    Raises:
        Trouble: when it leads to no run of this site.
    """
    address = RunLink.parse(run)
    if address is None:
        cure = "Send the address of a run of this site, as run=/run/mail/linux-2.6.9"
        raise Trouble("bad-request", "There is no run at this address", cure=cure)
    return await serving.kept(request, address) if address.link else orders.at_address(address)


async def _drives(request: Request, room: str) -> bool:
    token = request.cookies.get(DRIVER, "")
    return bool(token) and await to_thread.run_sync(kept(request).drives, room, token)


def _token(request: Request) -> str:
    """What this browser drives the room by; a page of another site can not make it send that."""
    serving.own_site(request)
    return request.cookies.get(DRIVER, "")


async def _done(request: Request, room: Room) -> Response:
    """Tell everybody, and the driver which number the change has."""
    await hub(request).changed(room)
    return Response(b'{"sequence":%d}' % room.sequence, headers={"Cache-Control": answers.NEVER}, media_type=JSON)


def _with_cookie(request: Request, response: Response, room: str, name: str, value: str) -> Response:
    """Set a cookie that only this room's addresses get, no script reads, and no other site makes a browser send."""
    response.set_cookie(
        name, value, path=links.live(room), httponly=True, samesite="strict",
        secure=serving.base(request).startswith("https:"),
        max_age=int(serving.settings(request).room_hours * 3600) + 86_400,
    )  # fmt: skip
    response.headers["Cache-Control"] = answers.NEVER
    return response
