internal import EventLog
internal import EventModel
internal import MillraceBus
internal import Projecting
internal import Quarantining

extension GatewayEnvironment {
    /// `GET /`.
    func start(_ request: GatewayRequest) throws -> Reply {
        try request.parameters.end("/")
        // A browser wants to see something.
        if (try? request.chosen(of: .json, .html)) == .html { return .seeOther(PagePath.overview.link()) }
        let places = [
            "/commands", "/events", "/views", "/topics", "/workers", "/quarantine", "/healthz", "/readyz", "/metrics",
            "/openapi.json", "/asyncapi.json", "/session",
        ]
        return .json(
            JSON.object([
                ("millrace", JSON.string(Version.number)),
                ("domains", JSON.array(domains.map { JSON.string($0.name) })),
                ("places", JSON.array(places.map(JSON.string))),
            ]))
    }

    /// `GET /events`: what can be sent and produced.
    func events(_ request: GatewayRequest) throws -> Reply {
        try request.parameters.end("/events")
        return .json(
            eventsText.value {
                let commands = catalogue.commands.map { $0.members("command") }
                let events = (catalogue.events + catalogue.derived).map { $0.members("event") }
                let all = (commands + events).map { JSON.object($0.map { ($0.name, $0.value) }) }
                return JSON.object([("events", JSON.array(all))])
            })
    }

    /// `GET /workers`.
    func workers(_ request: GatewayRequest) async throws -> Reply {
        try request.require(.operate, in: nil)
        try request.parameters.end("/workers")
        let lines = try await workers.sample().map { seen in
            JSON.object([
                ("worker", JSON.string(seen.worker.name)), ("kind", JSON.string(seen.worker.kind)),
                ("domain", JSON.string(seen.worker.domain)),
                ("reads", JSON.array(seen.worker.topics.map(JSON.string))), ("lag", String(seen.health.lag)),
                ("age", seen.health.age.map { String($0.milliseconds) } ?? "null"),
                ("rate", seen.rate.map { String($0) } ?? "null"), ("waiting", String(seen.waiting)),
                ("problem", seen.health.problem.map(JSON.string) ?? "null"),
            ])
        }
        return .json(JSON.object([("workers", JSON.array(lines))]))
    }

    /// `GET /quarantine`, `GET /quarantine/{worker}`.
    func waiting(_ worker: String?, _ request: GatewayRequest) async throws -> Reply {
        try request.require(.operate, in: nil)
        var parameters = request.parameters
        let key = try parameters.one("key")
        try parameters.end("/quarantine")
        let book = try await log.quarantine().read()
        let groups = try named { try QuarantineGroup.groups(book, worker, key, in: domains) }
        return .json(
            JSON.object([
                ("waiting", JSON.array(groups.map { JSON.object($0.members.map { ($0.name, $0.value) }) }))
            ]))
    }

    /// `POST /quarantine/redrive`, `POST /quarantine/{worker}/redrive`.
    func redrive(_ worker: String?, _ request: GatewayRequest) async throws -> Reply {
        var parameters = request.parameters
        let key = try parameters.one("key")
        return try await ask(worker, key, drop: 0, wait(parameters, "redrive"), request)
    }

    /// The same of a worker and a key that are said otherwise.
    func redrive(_ worker: String?, _ key: String?, _ request: GatewayRequest) async throws -> Reply {
        try await ask(worker, key, drop: 0, GatewayLimits.wait, request)
    }

    /// `POST /quarantine/{worker}/drop`.
    func drop(_ worker: String, _ request: GatewayRequest) async throws -> Reply {
        var parameters = request.parameters
        guard let key = try parameters.one("key") else {
            throw Problem(.badRequest, "say which key: ?key=", field: "key")
        }
        let count = try parameters.flag("all") ? Int.max : 1
        return try await ask(worker, key, drop: count, wait(parameters, "drop"), request)
    }

    /// The first record of a key.
    func drop(_ worker: String, key: String, _ request: GatewayRequest) async throws -> Reply {
        try await ask(worker, key, drop: 1, GatewayLimits.wait, request)
    }

    private func wait(_ parameters: ParameterReader, _ what: String) throws(Problem) -> Duration {
        var parameters = parameters
        let wait = try wait(&parameters)
        try parameters.end("/quarantine/\(what)")
        return wait
    }

    private func ask(
        _ worker: String?, _ key: String?, drop: Int, _ wait: Duration, _ request: GatewayRequest
    ) async throws -> Reply {
        try request.require(.operate, in: nil)
        let book = try await log.quarantine().read()
        let groups = try named { try QuarantineGroup.groups(book, worker, key, in: domains) }
        let answers = try await QuarantineAnswer.ask(for: groups, drop: drop, on: log, within: wait)
        let lines = JSON.array(
            answers.compactMap(\.members).map { JSON.object($0.map { ($0.name, $0.value) }) })
        if let failure = answers.failure(within: wait) {
            var problem = problem(failure)
            // What still waits is the state of things, and no fault of the gateway's.
            if failure.kind == .data { problem.status = .conflict }
            problem.members = [("answers", lines)]
            throw problem
        }
        return .json(JSON.object([("answers", lines)]))
    }

    /// `GET /healthz`: the process is there.
    func live(_ request: GatewayRequest) throws -> Reply {
        try request.parameters.end("/healthz")
        return .json(JSON.object([("status", JSON.string("ok"))]))
    }

    /// `GET /readyz`: it can do what it is asked.
    func ready(_ request: GatewayRequest) async throws -> Reply {
        try request.parameters.end("/readyz")
        let log = log
        let missing = try await within(GatewayLimits.probe, "the log") {
            let there = try await log.partitionCounts()
            return self.domains.flatMap(\.topics).map(\.name).filter { there[$0] == nil }
        }
        if let topic = missing.first { throw LogError.unknown(topic) }
        if let projection = catalogue.projections.first {
            let views = views
            _ = try await within(GatewayLimits.probe, "the views") { try await views.builds(of: projection) }
        }
        return .json(JSON.object([("status", JSON.string("ready"))]))
    }

    private func within<R: Sendable>(
        _ limit: Duration, _ what: String, _ body: @escaping @Sendable () async throws -> R
    ) async throws -> R {
        try await withThrowingTaskGroup(of: R.self) { group in
            group.addTask(operation: body)
            group.addTask {
                try await Task.sleep(for: limit)
                throw Problem(
                    .unavailable, "\(what) did not answer within \(limit.short)", retryAfter: GatewayLimits.retryAfter)
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }
}
