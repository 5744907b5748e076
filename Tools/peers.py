"""Reads a topic with Python's clients of Kafka, and prints how many events a second: see `make bench`.

usage: peers.py confluent-kafka|quixstreams HOST:PORT TOPIC COUNT
"""

import sys
import time
import uuid


def consume(broker: str, topic: str, count: int) -> float:
    """Only consumes, tuned as its users tune it for throughput."""
    from confluent_kafka import Consumer, TopicPartition, OFFSET_BEGINNING

    consumer = Consumer(
        {
            "bootstrap.servers": broker,
            "group.id": str(uuid.uuid4()),
            "enable.auto.commit": False,
            "queued.min.messages": 1_000_000,
            "fetch.queue.backoff.ms": 10,
        }
    )
    partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
    start = time.monotonic()
    consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in partitions])
    read = 0
    while read < count:
        messages = consumer.consume(10_000, timeout=10)
        if not messages:
            raise SystemExit(f"only {read} of {count} came")
        read += len(messages)
    seconds = time.monotonic() - start
    consumer.close()
    return read / seconds


def window(broker: str, topic: str, count: int) -> float:
    """Counts events of every second and key, as its tutorial does."""
    from datetime import timedelta

    from quixstreams import Application

    app = Application(
        broker_address=broker,
        consumer_group=str(uuid.uuid4()),
        auto_offset_reset="earliest",
        loglevel="ERROR",
        state_dir=f"/tmp/peers-{uuid.uuid4()}",
    )
    source = app.topic(topic, value_deserializer="bytes", key_deserializer="bytes")
    seen = {"count": 0, "start": 0.0}

    def note(_: object) -> None:
        if seen["count"] == 0:
            seen["start"] = time.monotonic()
        seen["count"] += 1
        if seen["count"] == count:
            app.stop()

    frame = app.dataframe(source)
    frame = frame.tumbling_window(timedelta(seconds=1)).count().current()
    frame.update(note)
    app.run()
    return (seen["count"] - 1) / (time.monotonic() - seen["start"])


if __name__ == "__main__":
    if len(sys.argv) != 5:
        raise SystemExit(__doc__)
    peer, broker, topic, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    print({"confluent-kafka": consume, "quixstreams": window}[peer](broker, topic, count))
