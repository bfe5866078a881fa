"""Metrics of a queue, by the rules of "Available CloudWatch metrics for Amazon SQS"."""

from typing import Any

from local.emulator.queue_metrics import Seen, metrics_of

MOVED = {"DeadLetterQueueSourceArn": "arn:aws:sqs:us-east-1:000000000000:work"}


def message(name: str, sent_at: float, **fields: Any) -> dict[str, Any]:
    return {"id": name, "sent_at": sent_at, "visible_at": sent_at, "receive_count": 0, "sys": {}, **fields}


def test_messages_count_by_what_may_be_done_with_them() -> None:
    messages = [
        message("waits", 10),
        message("held", 20, visible_at=200, receive_count=1),
        message("delayed", 30, visible_at=200),
    ]

    found = metrics_of(messages, 100, Seen())

    assert found == {
        "ApproximateNumberOfMessagesVisible": 1, "ApproximateNumberOfMessagesNotVisible": 1,
        "ApproximateNumberOfMessagesDelayed": 1, "ApproximateAgeOfOldestMessage": 90,
        "NumberOfMessagesSent": 3, "NumberOfMessagesDeleted": 0,
    }  # fmt: skip


def test_a_message_received_more_than_three_times_has_no_age() -> None:
    messages = [message("poison", 10, receive_count=4), message("third", 60, receive_count=3)]

    assert metrics_of(messages, 100, Seen())["ApproximateAgeOfOldestMessage"] == 40


def test_in_a_dead_letter_queue_the_age_counts_from_the_move_and_nothing_was_sent() -> None:
    seen, messages = Seen(), [message("dead", 10, receive_count=10, sys=MOVED)]

    first, later = metrics_of(messages, 100, seen), metrics_of(messages, 130, seen)

    assert [m["ApproximateAgeOfOldestMessage"] for m in (first, later)] == [0, 30]
    assert [m["NumberOfMessagesSent"] for m in (first, later)] == [0, 0]


def test_each_message_is_sent_once_and_deleted_once_however_short_it_was_there() -> None:
    seen = Seen()
    metrics_of([message("a", 1), message("b", 1)], 2, seen)
    seen.deleted |= {"a": False, "short": False, "dead": True}

    found = metrics_of([message("b", 1), message("c", 3)], 4, seen)
    after = metrics_of([message("b", 1), message("c", 3)], 5, seen)

    assert (found["NumberOfMessagesSent"], found["NumberOfMessagesDeleted"]) == (2, 3)
    assert (after["NumberOfMessagesSent"], after["NumberOfMessagesDeleted"]) == (0, 0)
