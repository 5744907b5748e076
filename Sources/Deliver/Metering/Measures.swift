/// Every metric that there is. The page `docs/operations/metrics.md` has the same.
package enum Measures {
    /// Seconds that a piece of work takes: from 100 µs, which a commit on a fast disk is, to a minute.
    package static let seconds: [Double] = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]
    /// Seconds that a request over HTTP takes.
    package static let requestSeconds: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]

    // MARK: Workers

    package static let workerRecords = Measure.counter(
        "millrace_worker_records_total", "worker", "kind",
        about:
            "Records that a worker has handled and committed: commands of a handler, events of a reactor or projector.")
    package static let workerWritten = Measure.counter(
        "millrace_worker_written_records_total", "worker", "kind",
        about: "Records that a worker has written: events of a handler, what follows from events of a reactor.")
    package static let workerBatch = Measure.histogram(
        "millrace_worker_batch_seconds", "worker", "kind",
        about: "How long a worker took for a batch of records, its commits among it.", bounds: seconds)
    package static let workerCommit = Measure.histogram(
        "millrace_worker_commit_seconds", "worker", "kind",
        about: "How long a worker waited for the log, or for its view's database, to commit.", bounds: seconds)
    package static let workerParked = Measure.counter(
        "millrace_worker_parked_records_total", "worker", "kind",
        about: "Records that a worker has put into the quarantine.")
    package static let workerCrashes = Measure.counter(
        "millrace_worker_crashed_partitions_total", "worker", "kind",
        about: "Partitions that a worker has taken from one that had not stopped in order.")
    package static let workerRejoins = Measure.counter(
        "millrace_worker_rejoins_total", "worker", "kind",
        about: "How often a worker has left its group and joined it anew, after a transaction or the log had failed.")
    package static let workerRunning = Measure.gauge(
        "millrace_worker_running", "worker", "kind",
        about: "1 while a worker runs in this process, 0 once it has stopped.")
    package static let workerLag = Measure.gauge(
        "millrace_worker_lag_records", "worker", "kind", about: "Records that a worker is behind.")
    package static let workerOldest = Measure.gauge(
        "millrace_worker_oldest_seconds", "worker", "kind",
        about: "The age of the oldest record that a worker has not handled.")
    package static let workerHealthy = Measure.gauge(
        "millrace_worker_healthy", "worker", "kind", about: "1 where a worker keeps up, else 0.")
    package static let quarantinedRecords = Measure.gauge(
        "millrace_worker_quarantined_records", "worker", "kind",
        about: "Records that wait in quarantine for a worker.")
    package static let quarantinedKeys = Measure.gauge(
        "millrace_worker_quarantined_keys", "worker", "kind",
        about: "Keys whose records wait in quarantine for a worker.")

    // MARK: Commands

    package static let commands = Measure.counter(
        "millrace_commands_total", "worker", "command", "outcome",
        about: "Commands and facts that a handler has answered: accepted, refused, or repeated for one answered before."
    )
    package static let refusals = Measure.counter(
        "millrace_refusals_total", "worker", "command", "reason",
        about: "Commands and facts that a handler has refused, by reason.")

    // MARK: The log

    package static let logCommit = Measure.histogram(
        "millrace_log_commit_seconds",
        about: "How long the local log took to bring a group commit to the disk: SQLite's COMMIT, its fsync among it.",
        bounds: seconds)
    package static let logRecords = Measure.counter(
        "millrace_log_appended_records_total", about: "Records that this process has appended to the local log.")
    package static let logAppended = Measure.counter(
        "millrace_log_appended_bytes_total", about: "Bytes that this process has appended to the local log.")
    package static let logBytes = Measure.gauge(
        "millrace_log_bytes", about: "Bytes of the local log's files.")
    package static let logDiskFree = Measure.gauge(
        "millrace_log_disk_free_bytes", about: "Bytes that are free on the local log's disk.")
    package static let logDisk = Measure.gauge(
        "millrace_log_disk_bytes", about: "Bytes of the local log's disk.")

    // MARK: Kafka

    package static let kafkaRoundTrip = Measure.gauge(
        "millrace_kafka_broker_rtt_seconds", "client", "broker",
        about:
            "How long a broker took to answer, on average since the statistics before; the longest of clients of a kind."
    )
    package static let kafkaErrors = Measure.counter(
        "millrace_kafka_broker_errors_total", "client", "broker",
        about: "Requests to a broker, and answers of it, that failed.")
    package static let kafkaRetries = Measure.counter(
        "millrace_kafka_broker_retries_total", "client", "broker", about: "Requests to a broker that were tried again.")
    package static let kafkaTimeouts = Measure.counter(
        "millrace_kafka_broker_timeouts_total", "client", "broker",
        about: "Requests to a broker that nobody answered in time.")
    package static let kafkaQueue = Measure.gauge(
        "millrace_kafka_queue_messages", "client", about: "Messages that wait in librdkafka to be sent.")
    package static let kafkaQueueBytes = Measure.gauge(
        "millrace_kafka_queue_bytes", "client", about: "Bytes of the messages that wait in librdkafka to be sent.")
    package static let kafkaSent = Measure.counter(
        "millrace_kafka_sent_messages_total", "client", about: "Messages sent to brokers.")
    package static let kafkaSentBytes = Measure.counter(
        "millrace_kafka_sent_bytes_total", "client", about: "Bytes of the messages sent to brokers.")
    package static let kafkaReceived = Measure.counter(
        "millrace_kafka_received_messages_total", "client", about: "Messages that came from brokers.")
    package static let kafkaReceivedBytes = Measure.counter(
        "millrace_kafka_received_bytes_total", "client", about: "Bytes of the messages that came from brokers.")

    // MARK: HTTP

    package static let requests = Measure.counter(
        "millrace_http_requests_total", "path", "method", "status", about: "Requests that were answered.")
    package static let requestTime = Measure.histogram(
        "millrace_http_request_seconds", "path", about: "How long requests took, streams to their end.",
        bounds: requestSeconds)
    package static let streams = Measure.gauge(
        "millrace_http_streams", about: "Topics that are being read.")
    package static let sent = Measure.counter(
        "millrace_http_commands_total", "command", "outcome", "reason",
        about: "Commands sent here that were decided, by reason where refused.")
    package static let routeEvents = Measure.counter(
        "millrace_http_route_events_total", "event", "outcome",
        about: "Events that domains' own paths have produced: written, or dropped for want of room.")
    package static let routeWaiting = Measure.gauge(
        "millrace_http_route_waiting_events", about: "Events of domains' own paths that wait for the log.")

    // MARK: The process

    package static let info = Measure.gauge("millrace_info", "version", about: "The program's version.")
    package static let processorTime = Measure.counter(
        "process_cpu_seconds_total", about: "Seconds that the process has had of processors.")
    package static let memory = Measure.gauge(
        "process_resident_memory_bytes", about: "Bytes of memory that the process has.")
    package static let files = Measure.gauge("process_open_fds", about: "Files that the process has open.")
    package static let fileLimit = Measure.gauge("process_max_fds", about: "Files that the process may have open.")
    package static let begun = Measure.gauge(
        "process_start_time_seconds", about: "When the process began, in seconds since 1970.")
    package static let overflows = Measure.counter(
        "millrace_metrics_overflows_total",
        about: "How often a series was asked for that its metric has no room for, and was counted as other.")

    package static let all: [Measure] = [
        workerRecords, workerWritten, workerBatch, workerCommit, workerParked, workerCrashes, workerRejoins,
        workerRunning, workerLag, workerOldest, workerHealthy, quarantinedRecords, quarantinedKeys, commands, refusals,
        logCommit, logRecords, logAppended, logBytes, logDiskFree, logDisk, kafkaRoundTrip, kafkaErrors,
        kafkaRetries, kafkaTimeouts, kafkaQueue, kafkaQueueBytes, kafkaSent, kafkaSentBytes, kafkaReceived,
        kafkaReceivedBytes, requests, requestTime, streams, sent, routeEvents, routeWaiting, info, processorTime,
        memory, files, fileLimit, begun,
        overflows,
    ]
}
