internal import EventLog
internal import EventModel
internal import HTTPTypes
internal import MillraceBus
internal import ServiceLifecycle

extension GatewayEnvironment {
    /// `GET /topics`.
    func topics(_ request: GatewayRequest) async throws -> Reply {
        try request.parameters.end("/topics")
        let all = try await log.topics().filter { request.access.allows(.replay, in: domain(of: $0.name)) }
        let bounds = try await log.bounds(of: try await log.partitions(of: all.map(\.name)))
        let lines = all.map { topic in
            let offsets = (0..<topic.partitions).map { number in
                let range = bounds[TopicPartition(topic.name, Partition(number))]
                return JSON.object([
                    ("partition", String(number)), ("start", range?.lowerBound.description ?? "null"),
                    ("end", range?.upperBound.description ?? "null"),
                ])
            }
            return JSON.object(
                (topic.members + [("offsets", JSON.array(offsets))]).map { ($0.name, $0.value) })
        }
        return .json(JSON.object([("topics", JSON.array(lines))]))
    }

    /// The domain that a topic is of; nil where it is of none.
    func domain(of topic: String) -> String? {
        domains.first { domain in domain.topics.contains { $0.name == topic } }?.name
    }

    /// `GET /topics/{topic}`.
    func replay(_ name: String, _ request: GatewayRequest) async throws -> Reply {
        try request.require(.replay, in: domain(of: name))
        let replay = try await TopicReplay(of: name, request, around: self)
        if request.isHead { return Reply(200, replay.type, .stream { _ in }) }
        return try stream(replay.type, to: request, endsWithGateway: replay.follows) { try await replay.write(to: $0) }
    }

    /// An answer that reads topics for as long as somebody takes it.
    ///
    /// - Parameter endsWithGateway: Whether whoever follows has no end to expect. One who reads a stretch must see that it was cut.
    /// - Throws: ``Problem`` where too many are being read, by whoever asks or by all.
    func stream(
        _ type: MediaType, to request: GatewayRequest, endsWithGateway: Bool,
        _ write: @escaping @Sendable (StreamWriter) async throws -> Void
    ) throws(Problem) -> Reply {
        guard let own = streamsOfEach.take(request.whose) else {
            throw Problem(
                .tooManyRequests,
                "\(request.whose) reads \(GatewayLimits.streamsOfOne) topics already; end one of them, or come again later",
                retryAfter: GatewayLimits.heartbeat)
        }
        guard let slot = streams.take() else {
            throw Problem(
                .unavailable, "\(GatewayLimits.streams) topics are being read; come again later",
                retryAfter: GatewayLimits.heartbeat)
        }
        return Reply(
            200, type,
            .stream { writer in
                do {
                    try await cancelWhenGracefulShutdown { try await write(writer) }
                } catch is CancellationError where endsWithGateway && Task.isShuttingDownGracefully {}
                withExtendedLifetime((slot, own)) {}
            })
    }
}

/// One reading of a topic by one reader.
private struct TopicReplay: Sendable {
    let type: MediaType
    private let around: GatewayEnvironment
    private let reading: TopicReading
    private let shape: RecordShape
    private let topic: String
    private let key: Bytes?
    private let kind: String?
    private let limit: Int?
    let follows: Bool
    private let isGone: @Sendable () -> Bool

    init(of topic: String, _ request: GatewayRequest, around: GatewayEnvironment) async throws {
        var parameters = request.parameters
        let (from, to) = (try parameters.one("from"), try parameters.one("to"))
        let partition = try parameters.number("partition")
        key = try parameters.one("key").map { Bytes($0) }
        let kind = try parameters.one("type")
        limit = try parameters.number("limit")
        follows = try parameters.flag("follow")
        let seen = try parameters.one("last-event-id")
        try parameters.end("/topics/\(topic)")
        if let limit, limit < 0 { throw Problem(.badRequest, "limit must not be negative", field: "limit") }
        if follows, to != nil { throw Problem(.badRequest, "follow does not go with to", field: "follow") }
        type = try request.chosen(of: .lines, .events, .csv)
        self.kind = try kind.map { kind in
            try around.reading("type") { try RecordShape.type(kind, of: [topic], around.domains) }
        }
        var places: [TopicPartition: Offset] = [:]
        // A reader that was there says so in the field, and one that knows where to begin in the parameter.
        let field = type == .events ? request.fields[.lastEventID] : nil
        if let last = field ?? seen, !last.isEmpty {
            places = try EventID.places(last, of: topic)
        }
        reading = try await TopicReading(
            [topic], partition: partition, from: from ?? "start", to: to ?? "end", goingOnAt: places, on: around.log)
        shape = try RecordShape(format: nil, csv: type == .csv, domains: around.domains)
        (self.topic, self.around, isGone) = (topic, around, request.isGone)
    }

    func write(to writer: StreamWriter) async throws {
        var out = StreamBuffer(type == .events ? "retry: 2000\n\n" : shape.header)
        var (shown, said) = (0, ContinuousClock.now)
        var places = reading.ranges.mapValues(\.lowerBound)
        // The first bytes go out at once: a reader knows that it is heard.
        try await out.flush(to: writer)
        let reading = limit == 0 ? reading.nothing : reading
        try await reading.each(
            on: around.log, follows: follows, batch: GatewayLimits.readBatch, pause: GatewayLimits.heartbeat / 3,
            afterEachLook: {
                if type == .events, .now - said > GatewayLimits.heartbeat {
                    out.add(": here\n\n")
                    try await out.flush(to: writer)
                    said = .now
                }
                return !isGone()
            }
        ) { batch, records in
            let types = shape.types(batch.source)
            for record in records {
                if let limit, shown >= limit { return false }
                places[batch.source] = record.offset + 1
                if let key, record.key != key { continue }
                if let kind, types(record) != kind { continue }
                shown += 1
                if type == .events {
                    out.add("id: \(EventID.text(places))\ndata: \(shape.json(record, batch.source))\n\n")
                } else {
                    shape.add(record, batch.source, to: &out.bytes)
                }
                if out.isFull { try await out.flush(to: writer) }
            }
            places[batch.source] = batch.next
            if !out.bytes.isEmpty {
                try await out.flush(to: writer)
                said = .now
            }
            return limit.map { shown < $0 } ?? true
        }
        try await out.flush(to: writer)
    }
}

/// What is written together.
private struct StreamBuffer {
    var bytes: [UInt8]

    init(_ text: String) { bytes = Array(text.utf8) }

    var isFull: Bool { bytes.count >= GatewayLimits.chunkBytes }

    mutating func add(_ text: String) { bytes += text.utf8 }

    /// Waits until the reader has taken what was written before.
    mutating func flush(to writer: StreamWriter) async throws {
        if bytes.isEmpty { return }
        try await writer.write(bytes)
        // A reader that takes all at once is not to keep the others waiting.
        await Task.yield()
        bytes.removeAll(keepingCapacity: bytes.count <= 2 * GatewayLimits.chunkBytes)
    }
}

/// Where a reader of a topic has come, as the id of an event: the next offset of each partition, `0@18,1@5`.
enum EventID {
    static func text(_ places: [TopicPartition: Offset]) -> String {
        places.sorted { $0.key < $1.key }.map { "\($0.key.partition)@\($0.value)" }.joined(separator: ",")
    }

    /// - Throws: ``Problem`` where it is none.
    static func places(_ text: String, of topic: String) throws(Problem) -> [TopicPartition: Offset] {
        var places: [TopicPartition: Offset] = [:]
        for place in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = place.split(separator: "@", omittingEmptySubsequences: false)
            guard sides.count == 2, let partition = Int32(sides[0]), let offset = Int64(sides[1]), partition >= 0,
                offset >= 0, places.count < Limits.partitions
            else {
                throw Problem(
                    .badRequest, "Last-Event-ID is none that an event of this stream had, such as 0@18,1@5",
                    field: "Last-Event-ID")
            }
            let place = TopicPartition(topic, Partition(rawValue: partition))
            if places.updateValue(Offset(offset), forKey: place) != nil {
                throw Problem(.badRequest, "Last-Event-ID has partition \(partition) twice", field: "Last-Event-ID")
            }
        }
        return places
    }
}
