internal import Domains
internal import EventLog
internal import EventModel
internal import Handling
internal import LocalLog
internal import Logging
internal import Projecting
internal import SQLiteViews
internal import ServiceLifecycle

/// How long a handler takes from its start until it has its partitions, on a log of few and on one of many commands.
extension Bench {
    /// Commands on the smaller log.
    private static let few = 20_000

    func starts(_ folder: String) async throws -> [Line] {
        var lines: [Line] = []
        for count in [Self.few, commands] {
            let place = "\(folder)/starts-\(count)"
            try await Self.fill(place, count)
            var line = try await measure("start to ready on \(count) commands, from a checkpoint", "") {
                1 / (try await Self.start(place, keeps: true))
            }
            line.reference = "\(Self.milliseconds(line)) ms"
            if let first = lines.first {
                line.reference += " (of \(Self.few): \(Self.milliseconds(first)) ms)"
            }
            lines.append(line)
        }
        let all = try await measure("start to ready on \(commands) commands, folding all", "") {
            1 / (try await Self.start("\(folder)/starts-\(commands)", keeps: false))
        }
        lines.append(all)
        lines[2].reference = "\(Self.milliseconds(all)) ms, \(Int((lines[1].rate / all.rate).rounded())) times as long"
        return lines
    }

    private static func milliseconds(_ line: Line) -> Int { Int((1000 / line.rate).rounded()) }

    /// Has so many orders placed, each of its own key, by a handler that keeps checkpoints.
    private static func fill(_ place: String, _ count: Int) async throws {
        let found = try Catalogue(domains: [.orders]).command("PlaceOrder")
        let log = try await LocalLog.open(directory: place)
        try await log.create(Domain.orders.topics)
        let partitions = try await log.partitionCounts()[Domain.orders.commandsTopic] ?? 1
        let places = (0..<partitions).map { TopicPartition(Domain.orders.commandsTopic, Partition($0)) }
        let views = try SQLiteViews(directory: place + "/views")
        try await run(log, views, keeps: true) {
            for first in stride(from: 0, to: count, by: 10_000) {
                var appends: [TopicPartition: [NewRecord]] = [:]
                for i in first..<min(first + 10_000, count) {
                    let json = #"{"order":"o\#(i)","customer":"c\#(i % 1000)"}"#
                    let command = try found.command(json: json, id: "id-\(i)", at: now())
                    let place = places[Int(Partitioner.partition(of: command.key, among: partitions).rawValue)]
                    appends[place, default: []].append(command.record(now: now()))
                }
                _ = try await log.append(appends.map { Append($0.key, $0.value) })
            }
            let group = Handler.group(of: .orders)
            while true {
                let committed = try await log.committed(group, places)
                if try await log.bounds(of: places).allSatisfy({ committed[$0.key] == $0.value.upperBound }) { break }
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        await views.close()
        await log.close()
    }

    /// Starts a handler on what is there: the seconds until it is ready.
    private static func start(_ place: String, keeps: Bool) async throws -> Double {
        let start = ContinuousClock.now
        let log = try await LocalLog.open(directory: place)
        let views = try SQLiteViews(directory: place + "/views")
        let took = try await run(log, views, keeps: keeps) { ContinuousClock.now - start }
        await views.close()
        await log.close()
        return Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18
    }

    /// Runs a handler of orders; does something once it is ready, and then stops it in order.
    private static func run<R: Sendable>(
        _ log: any EventLog, _ views: any ViewStore, keeps: Bool, _ body: () async throws -> R
    ) async throws -> R {
        let logger = makeLogger(verbose: false)
        guard var handler = Handler(.orders, log: log, clock: { now() }, logger: logger) else {
            throw Failure(.software, "orders has no handler")
        }
        let readiness = Readiness(["orders.handler"], since: .now)
        handler.ready = { readiness.note("orders.handler") }
        if keeps { handler.checkpoints = ViewCheckpoints(views) }
        let services = ServiceGroup(services: [handler], logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            defer { group.cancelAll() }
            if !(await readiness.wait(atMost: .seconds(600)).isEmpty) {
                throw Failure(.software, "the handler was not ready in time")
            }
            let result = try await body()
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
            return result
        }
    }
}
