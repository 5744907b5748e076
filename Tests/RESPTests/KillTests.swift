import EventModel
import Foundation
import Synchronization
import TestSupport
import Testing

/// What is shared by clients that use keys while processes die.
private final class Trial: Sendable {
    let seed: UInt64
    let length: Duration
    /// So many operations end it before its time.
    let wanted: Int
    /// Keys that are used at once.
    let keys: Int
    private let start = ContinuousClock.now
    private let state: Mutex<(ports: [Int], operations: [String: [Operation]])>
    private let asked = Atomic<Int>(0)

    init(seed: UInt64, length: Duration, wanted: Int, keys: Int, ports: [Int]) {
        (self.seed, self.length, self.wanted, self.keys) = (seed, length, wanted, keys)
        state = Mutex((ports, [:]))
    }

    /// Nanoseconds since it began.
    var now: Int64 { Int64((ContinuousClock.now - start) / .nanoseconds(1)) }
    var isOver: Bool { asked.load(ordering: .relaxed) >= wanted || ContinuousClock.now - start > length }
    func count() { asked.wrappingAdd(1, ordering: .relaxed) }
    func set(_ port: Int, of server: Int) { state.withLock { $0.ports[server] = port } }
    func port(_ random: inout SeededRandom) -> Int {
        let ports = state.withLock { $0.ports }
        return random.one(of: ports)
    }
    func add(_ operations: [String: [Operation]]) {
        state.withLock { $0.operations.merge(operations) { $0 + $1 } }
    }
    var operations: [String: [Operation]] { state.withLock { $0.operations } }
}

/// One client: it asks for one thing after another, and goes to another process where one is gone.
private struct Asker {
    let number: Int
    let trial: Trial
    var random: SeededRandom
    var operations: [String: [Operation]] = [:]
    var seen: [String: Int64] = [:]
    var count = 0

    init(_ number: Int, _ trial: Trial) {
        (self.number, self.trial) = (number, trial)
        random = SeededRandom(trial.seed, UInt64(number) + 1)
    }

    mutating func run() {
        while !trial.isOver {
            guard let client = try? RESPClient(port: trial.port(&random), seconds: 15) else { continue }
            while !trial.isOver, ask(client) {}
        }
        trial.add(operations)
    }

    /// - Returns: whether the connection still holds.
    private mutating func ask(_ client: RESPClient) -> Bool {
        // Other keys every second, so that none has more of a history than can be looked through.
        let key = "k\(trial.now / 1_000_000_000)-\(random.number(0...trial.keys - 1))"
        count += 1
        trial.count()
        let value = number * 100_000_000 + count
        let expected = seen[key] ?? 0
        let kind: Operation.Kind =
            switch random.number(0...99) {
            case 0..<30: .get
            case 30..<45: .getRevision
            case 45..<65: .set(value)
            case 65..<75: .delete
            case 75..<85: .increment
            default: .compareAndSet(expected: expected, value)
            }
        let words: [String] =
            switch kind {
            case .get: ["GET", key]
            case .getRevision: ["GETREV", key]
            case .set(let value): ["SET", key, "\(value)"]
            case .delete: ["DEL", key]
            case .increment: ["INCR", key]
            case .compareAndSet(let expected, let value): ["CAS", key, "\(expected)", "\(value)"]
            }
        var operation = Operation(client: number, kind: kind, answer: .unknown, began: trial.now, ended: .max)
        let answer = try? client.pipeline([words])[0]
        if let answer, let known = Self.known(answer, kind) {
            (operation.answer, operation.ended) = (known, trial.now)
            if case .valueAt(_, let revision) = known { seen[key] = revision }
            if case .swapped(let revision?) = known { seen[key] = revision }
        }
        // A read without an answer has done nothing.
        let isRead = kind == .get || kind == .getRevision
        if operation.answer != .unknown || !isRead { operations[key, default: []].append(operation) }
        return answer != nil
    }

    private static func known(_ answer: Answer, _ kind: Operation.Kind) -> Operation.Answer? {
        switch (kind, answer) {
        case (.get, .bulk(let text)): .value(text.flatMap { Int($0) })
        case (.getRevision, .bulk(nil)): .valueAt(nil, revision: 0)
        case (.getRevision, .list(let all)):
            .valueAt(all.first?.text.flatMap { Int($0) }, revision: all.last?.text.flatMap { Int64($0) } ?? -1)
        case (.set, .simple("OK")): .ok
        case (.delete, .integer(let count)): .count(Int(count))
        case (.increment, .integer(let number)): .value(Int(number))
        case (.compareAndSet, .bulk(nil)): .swapped(nil)
        case (.compareAndSet, .integer(let revision)): .swapped(revision)
        default: nil
        }
    }
}

/// Processes that serve keys are killed and stopped while many use them; each key's history must be one that a single key could
/// have had.
@Suite("Keys while processes die", .serialized, .timeLimit(.minutes(180)))
struct KillTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let seed = environment["MILLRACE_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 1...999_999)
    private static let seconds = environment["MILLRACE_KV_SECONDS"].flatMap { Int($0) } ?? 12
    /// So many operations, however long they take: `MILLRACE_KV_OPERATIONS`.
    private static let operations = environment["MILLRACE_KV_OPERATIONS"].flatMap { Int($0) }
    private static let clients = operations == nil ? 8 : 24

    @Test func `every key is linearizable through kills and pauses of its servers`() async throws {
        let bound = Self.operations.map { "\($0) operations" } ?? "\(Self.seconds) s"
        print("keys while processes die: seed \(Self.seed), \(bound)")
        try await KeyServers.with { servers in
            var running = [try await servers.serve(), try await servers.serve()]
            let trial = Trial(
                seed: Self.seed, length: .seconds(Self.operations == nil ? Self.seconds : 86_400),
                wanted: Self.operations ?? .max, keys: Self.clients * 3 / 2, ports: running.map(\.port))
            let clients = (0..<Self.clients).map { number in
                Task {
                    await withCheckedContinuation { continuation in
                        Thread.detachNewThread {
                            var asker = Asker(number, trial)
                            asker.run()
                            continuation.resume()
                        }
                    }
                }
            }
            var (random, kills, pauses) = (SeededRandom(Self.seed), 0, 0)
            while !trial.isOver {
                try await ContinuousClock().sleep(for: .milliseconds(random.number(300...1200)))
                let victim = random.number(0...1)
                if random.chance(60) {
                    try await running[victim].process.crash()
                    kills += 1
                    running[victim] = try await servers.serve()
                    trial.set(running[victim].port, of: victim)
                } else {
                    running[victim].process.send(SIGSTOP)
                    pauses += 1
                    try await ContinuousClock().sleep(for: .milliseconds(random.number(200...1500)))
                    running[victim].process.send(SIGCONT)
                }
            }
            for client in clients { await client.value }
            let histories = trial.operations
            var (all, lost) = (0, 0)
            for (key, operations) in histories.sorted(by: { $0.key < $1.key }) {
                all += operations.count
                lost += operations.count { $0.answer == .unknown }
                let verdict = Linearizability.check(operations)
                #expect(verdict == .yes, "\(key) is not linearizable (\(verdict)), seed \(Self.seed)")
                if verdict == .no {
                    print(operations.sorted { $0.began < $1.began }.map { "\(key): \($0)" }.joined(separator: "\n"))
                }
            }
            print(
                "\(all) operations on \(histories.count) keys, \(lost) without an answer, \(kills) kills, \(pauses) pauses"
            )
            #expect(all > 500 && kills + pauses > 0)
            for one in running { #expect(try await one.process.stop().exit == 0) }
        }
    }
}
