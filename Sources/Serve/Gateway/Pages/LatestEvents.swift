internal import EventLog
internal import EventModel
internal import MillraceBus
internal import ServiceLifecycle

extension GatewayEnvironment {
    /// `GET /ui/latest`: what comes, of all domains, as an event stream for the overview. It tells the newest of each moment, and how
    /// many others there were: no more than somebody can look at, however much comes.
    func latest(_ request: GatewayRequest) async throws -> Reply {
        try request.parameters.end("/ui/latest")
        let there = try await log.partitionCounts()
        let topics = domains.filter { request.access.allows(.replay, in: $0.name) }
            .flatMap { [$0.decider == nil ? nil : $0.eventsTopic, $0.telemetry?.topic].compactMap { $0 } }
            .filter { there[$0] != nil }
        guard let slot = streams.take() else {
            throw Problem(
                .unavailable, "\(GatewayLimits.streams) topics are being read; come again later",
                retryAfter: GatewayLimits.heartbeat)
        }
        let isGone = request.isGone
        return Reply(
            200, .events,
            .stream { [self] writer in
                do {
                    try await cancelWhenGracefulShutdown {
                        try await self.tell(of: topics, to: writer, until: isGone)
                    }
                } catch is CancellationError where Task.isShuttingDownGracefully {
                    // Whoever follows has no end to expect.
                }
                withExtendedLifetime(slot) {}
            })
    }

    private func tell(
        of topics: [String], to writer: StreamWriter, until isGone: @escaping @Sendable () -> Bool
    ) async throws {
        let shape = try RecordShape(format: nil, csv: false, domains: domains)
        let reading = try await TopicReading(topics, partition: nil, from: "end", to: "end", on: log)
        try await writer.write("retry: 2000\n\n")
        var (newest, count, said) = ([String](), 0, ContinuousClock.now)
        try await reading.each(
            on: log, follows: true, batch: GatewayLimits.readBatch, pause: GatewayLimits.latestPause,
            afterEachLook: {
                if isGone() { return false }
                if count > 0, .now - said >= GatewayLimits.latestPause {
                    let more = count - newest.count
                    try await writer.write("data: {\"events\":\(JSON.array(newest)),\"more\":\(more)}\n\n")
                    (newest, count, said) = ([], 0, .now)
                } else if .now - said > GatewayLimits.heartbeat {
                    try await writer.write(": here\n\n")
                    said = .now
                }
                return true
            }
        ) { batch, records in
            count += records.count
            newest += records.suffix(GatewayLimits.latestEvents).map { shape.json($0, batch.source) }
            if newest.count > GatewayLimits.latestEvents {
                newest.removeFirst(newest.count - GatewayLimits.latestEvents)
            }
            return true
        }
    }
}
