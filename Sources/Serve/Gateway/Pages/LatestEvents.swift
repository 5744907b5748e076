internal import EventLog
internal import EventModel
internal import HTTPTypes
internal import MillraceBus

extension GatewayEnvironment {
    /// `GET /ui/latest`: what comes, of all domains, as an event stream for the overview. It tells the newest of each moment, and how
    /// many others there were: no more than somebody can look at, however much comes. Who lost the connection goes on at the moment that
    /// he was told of last, where that is not long ago.
    func latest(_ request: GatewayRequest) async throws -> Reply {
        var parameters = request.parameters
        let seen = try parameters.one("last-event-id")
        try parameters.end("/ui/latest")
        let last = (request.fields[.lastEventID] ?? seen).flatMap { Int64($0) }.map { Timestamp($0) }
        let from = last.map { min(max($0, now() - GatewayLimits.latestReach), now()) }
        let there = try await log.partitionCounts()
        let topics = domains.filter { request.access.allows(.replay, in: $0.name) }
            .flatMap { ($0.decider == nil ? [] : [$0.eventsTopic]) + $0.telemetry.map(\.topic) }
            .filter { there[$0] != nil }
        return try stream(.events, to: request, endsWithGateway: true) { [self] writer in
            try await tell(of: topics, from: from, to: writer, until: request.isGone)
        }
    }

    private func tell(
        of topics: [String], from: Timestamp?, to writer: StreamWriter, until isGone: @escaping @Sendable () -> Bool
    ) async throws {
        let shape = try RecordShape(format: nil, csv: false, domains: domains)
        let reading = try await TopicReading(
            topics, partition: nil, from: from.map { "first@\($0.rfc3339)" } ?? "end", to: "end", on: log)
        // The id is a moment: what is older was told, or is not the latest any more.
        try await writer.write("retry: 2000\nid: \(now().rawValue)\n\n")
        var (newest, count, said) = ([String](), 0, ContinuousClock.now)
        try await reading.each(
            on: log, follows: true, batch: GatewayLimits.readBatch, pause: GatewayLimits.latestPause,
            afterEachLook: {
                if isGone() { return false }
                if count > 0, .now - said >= GatewayLimits.latestPause {
                    let more = count - newest.count
                    try await writer.write("id: \(now().rawValue)\n")
                    try await writer.write("data: {\"events\":\(JSON.array(newest)),\"more\":\(more)}\n\n")
                    (newest, count, said) = ([], 0, .now)
                } else if .now - said > GatewayLimits.heartbeat {
                    try await writer.write("id: \(now().rawValue)\n\n")
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
