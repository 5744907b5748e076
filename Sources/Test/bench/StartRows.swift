internal import EventLog
internal import EventModel
internal import Foundation
internal import Handling
internal import HitsDomain
internal import LocalLog
internal import OrdersDomain
internal import Projecting
internal import SQLiteViews
internal import TestSupport

extension Bench {
    func startRows() async throws -> [Row] {
        var rows: [Row] = []
        let empty = try fresh("empty")
        defer { remove(empty) }
        let idle = try await up(on: empty)
        rows.append(Row("up on an empty log: resident once ready", .megabytes, idle.map(\.resident), .atMost(60)))

        let place = try fresh("starts")
        defer { remove(place) }
        let log = try await LocalLog.open(directory: place)
        try await log.create(Domain.hits.topics)
        try await log.fill("hits.events", events, record: try Hits(events).record)
        let views = try SQLiteViews(directory: place + "/views")
        let hits = Domain.hits.projections[0]
        let folded = try await project(hits, log, views: views)
        await views.close()
        await log.close()
        let full = try await up(on: place)
        rows.append(
            Row("up on \(events) events: start to ready", .seconds, full.map(\.seconds), .atMost(1))
                .held(against: "on an empty log", idle.map(\.seconds)))
        rows.append(
            Row("  resident once ready", .megabytes, full.map(\.resident)).held(
                against: "on an empty log", idle.map(\.resident)))
        let watch = Stopwatch()
        try await run(["rebuild", hits.name], on: place)
        rows.append(
            Row(
                "rebuild hits.windows of \(events) events", .perSecond, [Double(events) / watch.seconds],
                .timesAtLeast(0.5)
            )
            .held(against: "its projector, by the clock", [Double(events) / folded.seconds]))
        return rows + (try await handlerRows())
    }

    /// Starts everything there is, and stops it again.
    private func up(on place: String) async throws -> [(seconds: Double, resident: Double)] {
        var found: [(Double, Double)] = []
        for _ in 0..<rounds {
            let watch = Stopwatch()
            let running = try start(["up"], on: place)
            try await eventually("up to be ready") { running.err.contains("up after") ? true : nil }
            let seconds = watch.seconds
            // It has all it needs by then; what it lets go again comes later.
            let resident = Resident.now(running.pid) ?? 0
            found.append((seconds, resident))
            try await running.stop()
        }
        return found
    }

    /// A handler that has many commands behind it, from its checkpoint and without.
    private func handlerRows() async throws -> [Row] {
        var (small, large, folding): ([Double], [Double], [Double]) = ([], [], [])
        let (few, many) = (20_000, 400_000)
        let (first, second) = (try fresh("few"), try fresh("many"))
        defer { for place in [first, second] { remove(place) } }
        try await fillOrders(first, few)
        try await fillOrders(second, many)
        for _ in 0..<rounds {
            small.append(try await startOrders(first, keeps: true))
            large.append(try await startOrders(second, keeps: true))
            folding.append(try await startOrders(second, keeps: false))
        }
        return [
            Row("a handler of \(many) commands, from its checkpoint", .seconds, large, .timesAtMost(2))
                .held(against: "of \(few) commands", small),
            Row("  folding all instead", .seconds, folding).held(against: "from its checkpoint", large),
        ]
    }

    /// Has so many orders placed, each of its own key, by a handler that keeps checkpoints.
    func fillOrders(_ place: String, _ count: Int) async throws {
        let log = try await LocalLog.open(directory: place)
        try await log.create(Domain.orders.topics)
        let views = try SQLiteViews(directory: place + "/views")
        try await running(Array(deciders(of: .orders, log, views).prefix(1))) {
            try await log.fill(Domain.orders.commandsTopic, count) { i in
                guard
                    let command = try? Domain.orders.command(
                        "PlaceOrder", #"{"order":"o\#(i)","customer":"c\#(i % 1000)"}"#, id: "id-\(i)")
                else { preconditionFailure("an order cannot be encoded") }
                return command.record(now: now())
            }
            try await handled(.orders, log, reacting: false)
        }
        await views.close()
        await log.close()
    }

    /// Waits until a domain's handler, and its reactors where they run, have nothing left to do.
    func handled(_ domain: Domain, _ log: any EventLog, reacting: Bool = true) async throws {
        let reactors = reacting ? domain.reactions.map { ($0.name, $0.topics) } : []
        let groups = [(Handler.group(of: domain), [domain.commandsTopic])] + reactors
        try await eventually("\(domain.name)'s workers to be done", within: .seconds(600)) { () async throws -> Bool? in
            // What a worker writes and how far it has read are one commit, so one after the other, along the way of an event.
            for (group, topics) in groups {
                let places = try await log.partitions(of: topics)
                let committed = try await log.committed(group, places)
                for (place, range) in try await log.bounds(of: places) where !range.isEmpty {
                    if committed[place] ?? 0 < range.upperBound { return nil }
                }
            }
            return true
        }
    }

    /// Starts a handler on what is there: the seconds until it is ready.
    private func startOrders(_ place: String, keeps: Bool) async throws -> Double {
        let watch = Stopwatch()
        let log = try await LocalLog.open(directory: place)
        let views = try SQLiteViews(directory: place + "/views")
        guard var handler = Handler(.orders, log: log, clock: { now() }, logger: logger) else { return 0 }
        let ready = Phase()
        handler.ready = { ready.end() }
        if keeps { handler.checkpoints = ViewCheckpoints(views) }
        let took = try await running([handler]) { () async throws -> Double in
            try await eventually("the handler to be ready", within: .seconds(600)) { ready.isOver ? true : nil }
            return watch.seconds
        }
        await views.close()
        await log.close()
        return took
    }
}
