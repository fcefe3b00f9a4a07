"""Commands of other processes: applied between two steps, in order, answered, and logged."""

import json
import threading
from contextlib import closing

import pytest

from ganvas.checkpoints.run_dir import RunDir
from ganvas.events import Commanded, Step
from ganvas.runs.control import (
    Answer,
    Control,
    Label,
    Pause,
    Resume,
    Save,
    Set,
    Stop,
)
from ganvas.runs.mailbox import (
    COMMANDS,
    LONGEST,
    FolderMailbox,
    NotRunningError,
    ask,
    decode,
    encode,
)
from ganvas.runtime.forms import FormError
from ganvas.runtime.locking import locked


@pytest.fixture
def folder(tmp_path):
    return RunDir(tmp_path / "run")


@pytest.fixture
def mailbox(folder, monkeypatch):
    monkeypatch.setattr("ganvas.runs.mailbox.EVERY", 0.0)
    folder.commands.mkdir(parents=True)
    return FolderMailbox(folder.commands)


def put(folder, name, content):
    (folder.commands / f"{name}.json").write_bytes(
        content if isinstance(content, bytes) else json.dumps(content).encode()
    )


def answer_of(folder, name):
    return Answer(**json.loads((folder.commands / f"{name}.answer").read_text()))


@pytest.mark.parametrize(
    "command", [Save(), Pause(), Resume(), Set("lr_g", 0.01), Label("<b>$x$</b> ಅ")]
)
def test_a_command_survives_its_file(command):
    assert decode(encode(command).encode()) == command


def test_whoever_stops_a_run_cannot_say_that_it_has_finished():
    assert decode(b'{"command": "stop", "reason": "finished"}') == Stop("stopped")
    assert decode(encode(Stop("finished")).encode()) == Stop("stopped")


def test_commands_come_in_the_order_of_their_times_and_once(folder, mailbox):
    put(folder, "2", {"command": "pause"})
    put(folder, "1", {"command": "set", "setting": "lr_g", "value": 1.0})
    found = mailbox.collect()
    assert [command for command, _ in found] == [Set("lr_g", 1.0), Pause()]
    assert mailbox.collect() == [], "before the first answer, too"
    for number, (_, reply) in enumerate(found):
        reply(Answer(number))
    assert [answer_of(folder, name).step for name in "12"] == [0, 1]
    assert not [*folder.commands.glob("*.json")]


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 5000, b'"stop"',
        {}, {"command": "fly"}, {"command": ["stop"]}, {"command": "set"},
        {"command": "set", "setting": "lr_g", "value": "1"},
        {"command": "set", "setting": 1, "value": 1.0},
        {"command": "label", "text": ""}, {"command": "label", "text": "x" * 1000},
        {"command": "label", "text": "x" * LONGEST},
    ],
)  # fmt: skip
def test_what_is_no_command_is_refused_and_changes_nothing(folder, mailbox, content):
    put(folder, "1", content)
    assert mailbox.collect() == []
    assert "is no command" in answer_of(folder, "1").refused
    with pytest.raises(FormError):
        decode(content if isinstance(content, bytes) else json.dumps(content).encode())


def test_a_thousand_messages_of_nonsense_do_not_stop_it(folder, mailbox):
    for number in range(1000):
        put(folder, f"{number:04d}", b"\x00nonsense")
    put(folder, "9999", {"command": "save"})
    assert [command for command, _ in mailbox.collect()] == [Save()]
    assert not [*folder.commands.glob("0*.json")]


def test_a_folder_in_the_place_of_a_command_is_refused(folder, mailbox):
    (folder.commands / "1.json").mkdir()
    assert mailbox.collect() == mailbox.collect() == []


def test_what_was_left_for_an_earlier_process_is_not_obeyed(folder, mailbox):
    put(folder, "1", {"command": "stop"})
    (folder.commands / "0.answer").write_text("{}")
    mailbox.clear()
    assert mailbox.collect() == []
    assert [*folder.commands.iterdir()] == []


def test_a_folder_that_is_not_there_is_an_empty_one(tmp_path):
    mailbox = FolderMailbox(tmp_path / "nowhere")
    mailbox.clear()
    assert mailbox.collect() == []


def test_nobody_answers_for_a_run_that_does_not_train(folder):
    folder.path.mkdir()
    with pytest.raises(NotRunningError, match="is not being trained"):
        ask(folder, Pause())
    assert not folder.commands.exists()


def test_a_run_that_ends_before_it_answers_is_reported_and_its_command_taken_back(folder):
    lock = locked(folder.path)
    lock.__enter__()

    def end():
        lock.__exit__(None, None, None)

    timer = threading.Timer(0.3, end)
    timer.start()
    with pytest.raises(NotRunningError):
        ask(folder, Pause())
    timer.join()
    assert [*folder.commands.iterdir()] == []


def test_whoever_gives_up_waiting_takes_the_command_back(folder):
    def give_up():
        raise KeyboardInterrupt

    with locked(folder.path), pytest.raises(KeyboardInterrupt):
        ask(folder, Pause(), give_up)
    assert [*folder.commands.iterdir()] == []


def test_every_command_is_known_by_its_name():
    assert set(COMMANDS) == {"save", "pause", "resume", "stop", "set", "label"}


def test_two_senders_at_once_are_both_answered_in_one_order(session, monkeypatch):
    monkeypatch.setattr("ganvas.runs.mailbox.EVERY", 0.0)
    made = session(images=4000)
    answers = {}
    with locked(made.folder.path), closing(made.events()) as events:
        senders = [
            threading.Thread(
                target=lambda n=number: answers.update(
                    {n: ask(made.folder, Set("lr_g", (n + 1) / 1000))}
                )
            )
            for number in range(8)
        ]
        for sender in senders:
            sender.start()
        applied = []
        for event in events:
            if isinstance(event, Commanded):
                applied.append(event)
            if isinstance(event, Step) and not any(s.is_alive() for s in senders):
                break
        for sender in senders:
            sender.join()
    assert len(applied) == len(answers) == 8
    assert all(answer.refused is None for answer in answers.values())
    steps = {event.details["value"]: event.step for event in applied}
    assert {n: answers[n].step for n in answers} == {n: steps[(n + 1) / 1000] for n in range(8)}
    assert made.state.live["lr_g"] == applied[-1].details["value"]


def test_every_command_stands_in_the_log_the_refused_ones_too(session):
    made = session(images=16)
    answers = []
    for command in (Label("here"), Set("lr_q", 1.0), Save(), Stop("stopped")):
        made.control.put(command, answers.append)
    for _ in made.events():
        pass
    lines = [json.loads(line) for line in made.folder.metrics_log.read_text().splitlines()]
    commands = [line for line in lines if line.get("event") == "command"]
    assert [line["command"] for line in commands] == ["label", "set", "save", "stop"]
    assert commands[0]["text"] == "here"
    assert commands[1]["refused"] == answers[1].refused
    assert [answer.refused is None for answer in answers] == [True, False, True, True]
    assert (lines[-1]["event"], lines[-1]["reason"]) == ("done", "stopped")


def test_a_full_disk_does_not_stop_a_run_that_cannot_answer(folder, mailbox, monkeypatch):
    def full(path, text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ganvas.runs.mailbox.write_text", full)
    put(folder, "1", {"command": "pause"})
    ((command, reply),) = mailbox.collect()
    reply(Answer(1))
    assert command == Pause()
    assert mailbox.collect() == []


def test_a_control_without_a_mailbox_hears_nobody():
    control = Control()
    assert not control.stopped
