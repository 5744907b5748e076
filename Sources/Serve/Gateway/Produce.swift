internal import EventLog
internal import EventModel
internal import Handling
internal import MillraceBus

extension GatewayEnvironment {
    /// `POST /events/{event}`: an event a line; what came of all of them.
    func produce(_ name: String, _ request: GatewayRequest) async throws -> Reply {
        let found = try named { try catalogue.event(name) }
        try request.require(.produce, in: found.domain.name)
        var parameters = request.parameters
        let (wait, skips) = (try wait(&parameters), try skipsBadLines(&parameters))
        let reader = EventLines(found: found, timeField: try parameters.one("time-field"))
        try parameters.end("/events/\(found.kind.name)")
        var body = try request.body.lines()
        guard let count = try await log.partitionCounts()[found.topic] else { throw LogError.unknown(found.topic) }
        var producing = LineProducing(
            sink: try found.decided
                ? .admission(sender.client, found, within: wait)
                : .append(log, PartitionCount(of: found.topic, on: log, count)),
            reader: reader, acting: request.access.acting(in: found.domain.name), skips: skips)
        do {
            while let lines = try await body.next() {
                try request.checkAgain()
                try await producing.take(lines)
            }
        } catch {
            var problem = problem(error)
            problem.members = producing.members + problem.members
            throw problem
        }
        return .json(JSON.object((producing.members + producing.complaints).map { ($0.name, $0.value) }))
    }
}

/// Events of a body's lines on their way.
private struct LineProducing {
    var sink: EventSink
    let reader: EventLines
    let acting: Acting?
    let skips: Bool
    private var (done, bad, refused) = (0, 0, 0)
    /// The first lines of each reason that were not taken.
    private var told: [(reason: String, line: Int, problem: Problem)] = []

    init(sink: EventSink, reader: EventLines, acting: Acting?, skips: Bool) {
        (self.sink, self.reader, self.acting, self.skips) = (sink, reader, acting, skips)
    }

    /// What `millrace produce` sums up.
    var members: Members {
        [
            ("produced", String(done)), ("refused", String(refused)), ("bad", String(bad)),
            ("last", JSON.offsets(sink.ends)),
        ]
    }

    var complaints: Members {
        [("problems", JSON.array(told.map { $0.problem.at(line: $0.line).json }))]
    }

    mutating func take(_ lines: [InputLine]) async throws {
        // A handler's refusal of one line must stop before the next is sent.
        let size = !skips && sink.canRefuse ? 1 : GatewayLimits.eventBatch
        var events: [(line: Int, event: EventLines.Event)] = []
        for line in lines {
            do {
                if let event = try reader.read(line, by: acting) { events.append((line.number, event)) }
            } catch let error as Malformed {
                try await pass(
                    Problem(.badRequest, error.inLine, field: error.field), error.reason, line.number, &events)
            } catch let error as ActsForAnother {
                try await pass(Problem(error), "acts-for-another", line.number, &events)
            }
            if events.count >= size { try await put(&events) }
        }
        try await put(&events)
    }

    /// Passes over a line that is not taken, or stops behind those before it.
    private mutating func pass(
        _ problem: Problem, _ reason: String, _ line: Int, _ events: inout [(line: Int, event: EventLines.Event)]
    ) async throws {
        if !skips {
            try await put(&events)
            throw problem.at(line: line)
        }
        bad += 1
        note(problem, reason, line)
    }

    private mutating func put(_ events: inout [(line: Int, event: EventLines.Event)]) async throws {
        if events.isEmpty { return }
        let refusals = try await sink.put(events.map(\.event))
        done += events.count - refusals.count
        refused += refusals.count
        for (i, no) in refusals.sorted(by: { $0.key < $1.key }) {
            var problem = Problem(.conflict, no.message)
            problem.members = [("reason", JSON.string(no.reason))]
            if !skips { throw problem.at(line: events[i].line) }
            note(problem, no.reason, events[i].line)
        }
        events = []
    }

    private mutating func note(_ problem: Problem, _ reason: String, _ line: Int) {
        if told.count(where: { $0.reason == reason }) < GatewayLimits.toldLines { told.append((reason, line, problem)) }
    }
}
