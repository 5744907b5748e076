import EventLog
import Foundation
import GRDB
import KafkaLog
import Logging
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import MillraceApp
@testable import MillraceBus

/// A stop has an end, also where something hangs.
@Suite("A bounded stop", .serialized, .timeLimit(.minutes(10)))
struct GraceTests {
    private final class Words: Sendable {
        private let words = Mutex<[String]>([])
        var all: [String] { words.withLock { $0 } }
        func add(_ word: String) { words.withLock { $0.append(word) } }
    }

    /// Runs until it is let go.
    private struct Stubborn: Service, CustomStringConvertible {
        let description: String
        let gate = Words()
        func run() async throws { while gate.all.isEmpty { try? await Task.sleep(for: .milliseconds(10)) } }
    }

    @Test func `what has not ended is named once the time is over, and what has is not`() async throws {
        let words = Words()
        let grace = Grace(.milliseconds(200)) { words.add($0) }
        let (stuck, done) = (Stubborn(description: "hits.windows"), Stubborn(description: "tickets.handler"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for service in [stuck, done] { group.addTask { try await Bounded(service, by: grace).run() } }
            done.gate.add("go")
            try await eventually("a word") { words.all.isEmpty ? nil : true }
            stuck.gate.add("go")
            try await group.waitForAll()
        }
        #expect(words.all.count == 1)
        #expect(words.all[0].hasPrefix("not stopped within 200ms: hits.windows. "), "\(words.all)")
    }

    @Test func `why it was to stop is not lost where something hangs`() async throws {
        struct Failing: Service { func run() async throws { throw Failure(.data, "a view is damaged") } }
        let words = Words()
        let grace = Grace(.milliseconds(100)) { words.add($0) }
        let stuck = Stubborn(description: "hits.windows")
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await Bounded(stuck, by: grace).run() }
            group.addTask { try? await Bounded(Failing(), by: grace).run() }
            _ = try? await eventually("a word") { words.all.isEmpty ? nil : true }
            stuck.gate.add("go")
        }
        #expect(words.all.first?.contains("it was to stop for: a view is damaged") == true, "\(words.all)")
    }

    @Test func `what ends in time is let alone, and what closes behind it counts too`() async throws {
        let words = Words()
        let grace = Grace(.milliseconds(100)) { words.add($0) }
        let service = Stubborn(description: "w")
        service.gate.add("go")
        try await Bounded(service, by: grace).run()
        try await eventually("a word") { words.all.isEmpty ? nil : true }
        #expect(words.all[0].contains("the log and the views"))
        let other = Grace(.milliseconds(50)) { words.add($0) }
        try await Bounded(service, by: other).run()
        other.over()
        try await Task.sleep(for: .milliseconds(200))
        #expect(words.all.count == 1)
    }

    @Test func `who is told to stop before having begun has not failed`() async throws {
        struct Beginning: Service {
            func run() async throws {
                try await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(600)) }
            }
        }
        struct Ender: Service { func run() async throws {} }
        // With a grace and without one, and where another that ends has the group end.
        for grace in [Grace(.seconds(60)) { _ in }, nil] {
            let group = ServiceGroup(
                configuration: .init(
                    services: [
                        .init(service: Bounded(Beginning(), by: grace)),
                        .init(service: Ender(), successTerminationBehavior: .gracefullyShutdownGroup),
                    ], logger: Logger(label: "test")))
            await #expect(throws: Never.self) { try await group.run() }
            grace?.over()
        }
        // One that is cancelled without having been told to stop has.
        await #expect(throws: CancellationError.self) {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await Bounded(Beginning(), by: nil).run() }
                tasks.cancelAll()
                try await tasks.waitForAll()
            }
        }
    }

    /// Told at every moment of its beginning, from where it says that it works.
    @Test func `workers that are told to stop while they begin end with 0`() async throws {
        try await onBus { bus in
            try await bus.run("produce", "Hit", stdin: #"{"site":"home","visitor":"v"}"#)
            for pause in stride(from: 0, through: 300, by: 30) {
                let worker = try bus.start("work")
                try await eventually("it to work: \(worker.err)") { worker.err.contains("working:") ? true : nil }
                // What is tried is each moment after that, so there is nothing to look for.
                try await Task.sleep(for: .milliseconds(pause))
                let ended = try await worker.stop()
                #expect(ended.exit == 0, "after \(pause) ms: \(ended)")
            }
        }
    }

    @Test func `the setting is a time, and is refused where it is none`() throws {
        #expect(try Grace.set([:]) == Grace.limit)
        #expect(try Grace.set(["MILLRACE_GRACE": "2m"]) == .seconds(120))
        for wrong in ["soon", "0s", "-1"] {
            #expect(throws: BusError.self) { try Grace.set(["MILLRACE_GRACE": wrong]) }
        }
    }

    /// Somebody's shell of SQLite has a view locked: its projector waits for it in the middle of a commit.
    @Test(arguments: [SIGTERM, SIGINT])
    func `a process of which a worker hangs ends with 70 when its grace is over, and says which`(_ signal: Int32)
        async throws
    {
        try await onBus { bus in
            let hit = #"{"site":"home","visitor":"v"}"#
            try await bus.run("produce", "Hit", stdin: hit)
            let worker = try bus.start(
                "work", "hits.windows", "tickets.handler", environment: ["MILLRACE_GRACE": "2s"])
            let view = "\(bus.views)/hits.windows@1.sqlite"
            try await eventually("the view: \(worker.err)") { (try? Tables(view))?.folded == 1 ? true : nil }
            // It stays in the middle of a transaction.
            var configuration = Configuration()
            configuration.allowsUnsafeTransactions = true
            let shell = try DatabaseQueue(path: view, configuration: configuration)
            try await shell.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
            try await bus.run("produce", "Hit", stdin: hit)
            // It has read the event when it is behind and goes no further.
            try await Task.sleep(for: .milliseconds(500))
            let began = ContinuousClock.now
            worker.send(signal)
            let ended = try await worker.end()
            #expect(ended.exit == 70, "\(ended)")
            #expect(
                ended.err.contains("millrace: not stopped within 2s: hits.windows. Nothing that was committed is lost"),
                "\(ended)")
            #expect(ContinuousClock.now - began < .seconds(20))
            try await shell.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
            // Nothing is lost: the next folds it.
            let next = try await bus.work("hits.windows")
            try await eventually("the rest: \(next.err)") { (try? Tables(view))?.folded == 2 ? true : nil }
            #expect(try await next.stop().exit == 0)
        }
    }

    @Test func `what brokers may be told of is checked before one is asked`() async throws {
        #expect(try KafkaWork.set([:]) { _ in }.patience.limit == .seconds(300))
        #expect(try KafkaWork.set(["MILLRACE_KAFKA_PATIENCE": "15m"]) { _ in }.patience.limit == .seconds(900))
        #expect(throws: BusError.self) { try KafkaWork.set(["MILLRACE_KAFKA_PATIENCE": "long"]) { _ in } }
        let named = ["MILLRACE_INSTANCE": "worker-1.a_b", "MILLRACE_RACK": "eu-1a"]
        #expect(try KafkaWork.membership(working: true, named) == Membership(instance: "worker-1.a_b", rack: "eu-1a"))
        // What asks is a member of no group, or of one that it shares with others of its kind.
        #expect(try KafkaWork.membership(working: false, named) == Membership(rack: "eu-1a"))
        for wrong in ["a b", "é", "..", "a/b", String(repeating: "x", count: 250)] {
            #expect(throws: BusError.self) { try KafkaWork.membership(working: true, ["MILLRACE_INSTANCE": wrong]) }
        }
    }
}
