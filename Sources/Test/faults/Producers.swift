internal import EventModel
internal import Foundation
internal import MillraceTestKit
internal import Synchronization
internal import TestSupport

/// The processes that send a campaign's load, each chunk by one of them. A chunk whose process failed is sent again, with
/// the same ids, until all of it is acknowledged.
struct Producers: Sendable {
    let site: Site
    let ledger: SharedLedger
    let phase: Phase
    let seed: UInt64
    let tag: String
    /// After this a chunk that still fails is given up.
    let deadline: ContinuousClock.Instant
    let live = LiveProducers()

    /// A producer of each kind, and a second one for each domain that decides.
    static let loads: [(kind: Load.Kind, name: String)] =
        Load.Kind.allCases.enumerated().map { i, kind in (kind, "a\(i)") }
        + Load.Kind.domains.enumerated().map { i, domain in (.commands(domain.name), "b\(i)") }
    /// Codes of which trying again is worth it.
    static let excusable: Set<Int32> = [69, 74, 75, 128 + SIGKILL]

    func run() async {
        let start = Timestamp(Int64(Date().timeIntervalSince1970 * 1000))
        await withTaskGroup(of: Void.self) { group in
            for (kind, name) in Self.loads {
                let load = Load(kind, name: name, tag: tag, seed: seed, start: start - .seconds(600))
                group.addTask { await produce(load) }
            }
        }
    }

    private func produce(_ load: Load) async {
        var load = load
        var random = SeededRandom(seed, load.name.utf8.reduce(7) { $0 &* 131 &+ UInt64($1) })
        while !phase.isOver {
            let chunk = load.chunk(now: Timestamp(Int64(Date().timeIntervalSince1970 * 1000)))
            do {
                var rest = chunk
                var attempts = 0
                while !rest.ids.isEmpty {
                    rest = try await send(rest, load, random.next())
                    attempts += 1
                    if !rest.ids.isEmpty, .now > deadline {
                        throw Overdue(description: "\(rest.ids[0]) is not acknowledged after \(attempts) times")
                    }
                    // A client that never heard of its success asks once more.
                    if rest.ids.isEmpty, !load.kind.isTelemetry, Int.random(in: 0..<20, using: &random) == 0 {
                        rest = chunk
                    }
                    try await Task.sleep(for: .milliseconds(Int.random(in: 20...200, using: &random)))
                }
            } catch {
                ledger.note { $0.contradictions.append(Discrepancy(.broken, "producer \(load.name): \(error)")) }
                return
            }
        }
    }

    /// Sends a chunk by one process.
    ///
    /// - Returns: what is to be sent again.
    private func send(_ chunk: Chunk, _ load: Load, _ draw: UInt64) async throws -> Chunk {
        let file = "\(site.folder)/\(load.name).in"
        try Data((chunk.lines.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: file))
        let arguments: [String]
        switch load.kind {
        case .commands: arguments = ["send", "--file", file, "--json", "--timeout", "20s"]
        case .hits: arguments = ["produce", "Hit", "--file", file]
        case .rides: arguments = ["produce", "DriverLocation", "--file", file]
        case .imports:
            arguments = ["import", "access-log", file, "--site", "\(tag)imports", "--on-error", "stop", "--json"]
        }
        ledger.note { ledger in
            if load.kind.isTelemetry {
                ledger.send(facts: chunk.ids, isOnce: load.kind == .imports)
            } else {
                ledger.send(commands: chunk.ids)
            }
        }
        // One of eight has a clock of its own.
        let skew = draw % 8 == 0 ? Int(draw >> 8 % 41) % 41 - 20 : 0
        let running = try site.start(
            arguments, label: load.name, environment: SkewedClock.environment(ahead: skew))
        live.add(running)
        let end = try await running.end(within: .seconds(180))
        live.remove(running)
        let isDone = end.exit == 0 || (end.exit == 1 && !load.kind.isTelemetry)
        if !isDone && !Self.excusable.contains(end.exit) {
            throw Overdue(description: "\(running.name) ended with \(end.exit), see \(running.errFile): \(end.err)")
        }
        let rest =
            load.kind.isTelemetry ? hearFacts(end, chunk, isDone, load) : try hearOutcomes(end, chunk, isDone, running)
        for path in [running.outFile, running.errFile] where isDone {
            try? FileManager.default.removeItem(atPath: path)
        }
        return rest
    }

    private func hearFacts(_ end: Ended, _ chunk: Chunk, _ isDone: Bool, _ load: Load) -> Chunk {
        var done = isDone ? chunk.ids.count : 0
        // What is said to have been produced must not be sent again.
        if let said = end.err.firstMatch(of: #/The events of the (\d+) lines before line/#) { done = Int(said.1) ?? 0 }
        ledger.note { $0.acknowledge(facts: chunk.ids.prefix(done)) }
        // An importer is given the whole file: it knows itself what it has taken.
        if load.kind == .imports, !isDone { return chunk }
        return Chunk(ids: Array(chunk.ids.dropFirst(done)), lines: Array(chunk.lines.dropFirst(done)))
    }

    private func hearOutcomes(_ end: Ended, _ chunk: Chunk, _ isDone: Bool, _ running: Running) throws -> Chunk {
        // A line that was cut off is none.
        let lines = end.out.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        let outcomes = try lines.map { try JSONDecoder().decode(OutcomeLine.self, from: Data($0.utf8)) }
        ledger.note { for outcome in outcomes { $0.hear(outcome.answer, of: outcome.id) } }
        if !isDone { return chunk }
        if outcomes.map(\.id) != chunk.ids {
            throw Overdue(
                description: "\(running.name) printed \(outcomes.count) outcomes of \(chunk.ids.count) commands")
        }
        return Chunk()
    }
}

/// Which producers run now.
final class LiveProducers: Sendable {
    private let running = Mutex<[Running]>([])

    func add(_ one: Running) { running.withLock { $0.append(one) } }
    func remove(_ one: Running) { running.withLock { $0.removeAll { $0 === one } } }
    /// Kills one of them, if there is any.
    func kill(_ number: Int) -> String? {
        running.withLock { running in
            guard !running.isEmpty else { return nil }
            let victim = running[number % running.count]
            victim.send(SIGKILL)
            return victim.name
        }
    }
}

/// An outcome as `send` prints it.
private struct OutcomeLine: Decodable {
    struct Event: Decodable {
        var topic: String
        var partition: Int32
        var offset: Int64
        var type: String
    }
    var id: String
    var outcome: String
    var reason: String?
    var message: String?
    var events: [Event]

    var answer: Answer {
        Answer(
            isAccepted: outcome == "accepted", reason: reason ?? "", message: message ?? "",
            events: events.map {
                Spot(
                    place: TopicPartition($0.topic, Partition(rawValue: $0.partition)), offset: Offset($0.offset),
                    type: $0.type)
            })
    }
}
