import EventModel
import Foundation
import PostgresServer
import Projecting
import Synchronization
import TestSupport
import Testing

@testable import PostgresViews

/// Many at once, and a server that goes and comes.
@Suite(
    "Views in PostgreSQL, under load and faults", .timeLimit(.minutes(10)),
    .enabled(if: PostgresServer.isHere, Comment(rawValue: PostgresServer.absent)))
struct PostgresFaultTests {
    private let projection = AnyProjection(ShelfOne.self, domain: "test")

    @Test func `are made and opened by many at once`() async throws {
        try await folder { folder in
            let url = try PostgresServer.shared().url(for: folder)
            let projection = projection
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<6 {
                    group.addTask {
                        for _ in 0..<3 {
                            let views = try PostgresViews(url: url)
                            _ = try await views.read(projection) { reader, _ in try reader.rows(Scan(items)) }
                            await views.close()
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func `take commits of many owners at once, who add to the same rows in any order`() async throws {
        try await folder { folder in
            let url = try PostgresServer.shared().url(for: folder)
            let (projection, rounds) = (projection, 40)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for owner in 0..<4 {
                    group.addTask {
                        // A store of its own, as in a process of its own.
                        let views = try PostgresViews(url: url)
                        // Partitions in an order of its own.
                        let own = [owner, owner + 4].map { TopicPartition("events", Partition($0)) }
                        let epochs = try await views.claim(
                            projection, owner % 2 == 0 ? own : own.reversed(), owner: "\(owner)"
                        ).mapValues(\.epoch)
                        for round in 1...rounds {
                            let offsets = Dictionary(uniqueKeysWithValues: own.map { ($0, Offset(Int64(round))) })
                            try await views.commit(projection, to: offsets, under: epochs) { view in
                                for name in owner % 2 == 0 ? "xyz" : "zyx" {
                                    view.add(sums, [.text("\(name)")], [1, 10])
                                }
                                view.put(items, [.text("\(owner)"), Value(round), .null, .null])
                            }
                        }
                        await views.close()
                    }
                }
                try await group.waitForAll()
            }
            let shelf = Shelf(views: try PostgresViews(url: url), projection: projection)
            let all = Int64(4 * rounds)
            #expect(try await shelf.rows(Scan(sums)) == ["x", "y", "z"].map { [$0, Value(all), Value(10 * all)] })
            #expect(try await shelf.rows(Scan(items)).count == 4 * rounds)
            #expect(try await shelf.offsets().count == 8)
            await shelf.views.close()
        }
    }

    @Test func `let more ask at once than there are connections`() async throws {
        try await shelf(.postgres) { shelf in
            try await shelf.commit([TopicPartition("events", 0): 1]) { $0.add(sums, ["x"], [1, 0]) }
            try await withThrowingTaskGroup(of: Int64.self) { group in
                for _ in 0..<10 * PostgresLimits.connections {
                    group.addTask { try await shelf.sums([1], Scan(sums))[0] }
                }
                for try await sum in group { #expect(sum == 1) }
            }
        }
    }

    @Test(arguments: ["fast", "immediate"])
    func `go on when the server is stopped and started under commits, and lose and double none`(mode: String)
        async throws
    {
        let server = try PostgresServer()
        let views = try PostgresViews(url: server.url("postgres"))
        let (projection, p0) = (projection, TopicPartition("events", 0))
        let run = Run()
        let epochs = try await views.claim(projection, [p0], owner: "a").mapValues(\.epoch)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while !run.state.withLock(\.isEnough) {
                    let next = run.committed + 1
                    try await views.commit(projection, to: [p0: Offset(next)], under: epochs) { view in
                        view.add(sums, ["x"], [1, 2])
                    }
                    run.state.withLock { $0.committed = next }
                }
            }
            for _ in 0..<3 {
                let before = run.committed
                try await eventually("20 commits more") { run.committed < before + 20 ? nil : true }
                try await onThread {
                    try server.stop(mode)
                    try server.start()
                }
            }
            run.state.withLock { $0.isEnough = true }
            try await group.waitForAll()
        }
        let last = run.committed
        let (sum, asOf) = try await views.read(projection) { reader, asOf in
            (try reader.sums([1, 2], over: Scan(sums)), asOf)
        }
        #expect(sum == [last, 2 * last] && asOf == [p0: Offset(last)])
        #expect(try await views.claim(projection, [p0], owner: "b")[p0]?.epoch == Epoch(rawValue: 2))
        await views.close()
        try await onThread { try server.stop("immediate") }
    }

    @Test func `say within limits that a server is away or silent`() async throws {
        let server = try PostgresServer()
        let views = try PostgresViews(url: server.url("postgres"))
        let shelf = Shelf(views: views, projection: projection)
        try await shelf.commit([TopicPartition("events", 0): 1]) { _ in }
        try await onThread { try server.stop() }
        // A socket that is listened to and never answered, as of a machine that hangs.
        let silent = try SilentServer()
        let mute = try PostgresViews(url: "postgres://a@127.0.0.1:\(silent.port)/db")
        let start = ContinuousClock.now
        async let away = #expect(throws: ViewError.self) { _ = try await shelf.offsets() }
        async let hung = #expect(throws: ViewError.self) { try await mute.open(self.projection) }
        for (error, why) in [(await away, "127.0.0.1:\(server.port)"), (await hung, "no connection within 10 s")] {
            #expect(error?.kind == .unreachable)
            #expect(error?.message.contains(why) == true, "\(error?.message ?? "")")
        }
        let waited = ContinuousClock.now - start
        #expect(waited < PostgresLimits.patience + PostgresLimits.connect + .seconds(60), "\(waited)")
        try await onThread { try server.start() }
        #expect(try await shelf.offsets() == [TopicPartition("events", 0): 1])
        await views.close()
        await mute.close()
        try await onThread { try server.stop("immediate") }
    }

    /// How far the one who commits has come.
    private final class Run: Sendable {
        let state = Mutex<(committed: Int64, isEnough: Bool)>((0, false))
        var committed: Int64 { state.withLock(\.committed) }
    }

    /// Runs what blocks on a thread of its own.
    private func onThread(_ work: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result(catching: work)) }
        }
    }
}
