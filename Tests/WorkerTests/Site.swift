import Domains
import EventLog
import EventModel
import Handling
import Logging
import Projecting
import Quarantining
import ServiceLifecycle
import SwiftProtobuf
import Synchronization

@testable import TicketsDomain

typealias Fact = TicketsEvent.OneOf_Kind
typealias Order = TicketsCommand.OneOf_Kind

/// 2026-11-01T12:00:00Z.
let noon = Timestamp(1_793_534_400_000)

/// A clock that stands still until it is moved.
final class Clock: Sendable {
    private let time = Mutex(noon)
    var now: Timestamp { time.withLock { $0 } }
    func move(by duration: Duration) { time.withLock { $0 = $0 + duration } }
}

/// What workers said, so that a test can wait for it.
final class Journal: Sendable {
    let bell = Bell()
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    private let folds = Mutex<[(name: String, count: Int)]>([])
    /// How many records a worker has folded to take its partitions.
    func folded(by name: String) -> Int {
        folds.withLock { $0.filter { $0.name == name }.reduce(0) { $0 + $1.count } }
    }

    /// A logger whose lines begin with a worker's name.
    func logger(_ name: String) -> Logger { Logger(label: name) { Writer(label: $0, journal: self) } }

    /// How many partitions a worker has said to have taken.
    func taken(by name: String) -> Int { all.count { $0.hasPrefix("\(name): partition taken") } }

    private struct Writer: LogHandler {
        let label: String
        let journal: Journal
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level = .info
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) {
            if let count = (event.metadata?["folded"]).flatMap({ Int("\($0)") }) {
                journal.folds.withLock { $0.append((label, count)) }
            }
            journal.lines.withLock { $0.append("\(label): \(event.message)") }
            journal.bell.ring()
        }
    }
}

extension Checkpointing {
    /// Often, and with next to nothing in memory, so that every test goes through checkpoints.
    static var hasty: Checkpointing {
        var keeping = Checkpointing()
        (keeping.records, keeping.pause, keeping.rest) = (20, .milliseconds(20), 1)
        (keeping.held, keeping.timers, keeping.lookahead, keeping.asked) = (3, 2, .seconds(60), 3)
        return keeping
    }
}

/// One log, the workers on it, and what a test asks of them.
struct Site: Sendable {
    let log: any EventLog
    let views: WatchedViews
    /// How handlers and reactors keep checkpoints; nil is without.
    var keeping: Checkpointing? = .hasty
    let clock = Clock()
    let journal = Journal()
    /// Where deaths are counted; nil is without.
    var crashRecords: (any CrashRecordStore)?
    var quarantine: QuarantineLog {
        let clock = clock
        return QuarantineLog(log, clock: { clock.now })
    }
    let seatmap = Domain.tickets.projections.first { $0.name == "tickets.seatmap" }!

    func handler(_ name: String = "handler", on log: (any EventLog)? = nil) -> any Service {
        let clock = clock
        var handler = Handler(.tickets, log: log ?? self.log, clock: { clock.now }, logger: journal.logger(name))!
        if let keeping { (handler.checkpoints, handler.checkpointing) = (ViewCheckpoints(views), keeping) }
        (handler.quarantine, handler.crashRecords) = (quarantine, crashRecords)
        return handler
    }
    var reactor: any Service { reactor(of: Domain.tickets.reactions[0]) }
    func reactor(of reaction: AnyReaction, _ name: String = "reactor") -> any Service {
        var reactor = Reactor(reaction, log: log, logger: journal.logger(name))
        if let keeping { (reactor.checkpoints, reactor.checkpointing) = (ViewCheckpoints(views), keeping) }
        (reactor.quarantine, reactor.crashRecords) = (quarantine, crashRecords)
        return reactor
    }
    var projector: any Service { projector(of: seatmap) }
    func projector(of projection: AnyProjection) -> any Service {
        var projector = Projector(projection, log: log, views: views, logger: journal.logger("projector"))
        (projector.quarantine, projector.crashRecords) = (quarantine, crashRecords)
        return projector
    }

    /// Talks to the handlers for as long as `body` runs.
    func talk<R>(_ body: (CommandClient) async throws -> R) async throws -> R {
        let clock = clock
        return try await CommandClient.with(log, domains: [.tickets], clock: { clock.now }, body)
    }

    func command(_ order: Order, id: String, at time: Timestamp? = nil) -> EncodedCommand {
        let value = TicketsCommand.bytes(order)
        return EncodedCommand(
            type: Domain.tickets.decider!.commands.kindName(in: value), key: Bytes(Tickets.key(of: order)),
            value: value,
            id: id, time: time ?? clock.now)
    }

    /// Reads a topic from its start until so many records that count have come.
    func read(_ topic: String, _ wanted: Int, where counts: (Record) -> Bool = { _ in true }) async throws {
        let partitions = (0..<(try await log.partitionCounts()[topic] ?? 0)).map {
            (TopicPartition(topic, Partition($0)), Offset(0))
        }
        let reader = try await log.reader(from: Dictionary(uniqueKeysWithValues: partitions))
        var seen = 0
        while seen < wanted {
            try Task.checkCancellation()
            for batch in try await reader.next(max: 1000, wait: .milliseconds(500)) {
                seen += batch.records.count(where: counts)
            }
        }
        await reader.close()
    }

    /// All records of a topic, by partition.
    func records(_ topic: String) async throws -> [TopicPartition: [Record]] {
        let count = try await log.partitionCounts()[topic] ?? 0
        var records: [TopicPartition: [Record]] = [:]
        for (partition, range) in try await log.bounds(of: (0..<count).map { TopicPartition(topic, Partition($0)) }) {
            try await log.scan(partition, from: range.lowerBound, to: range.upperBound) { batch in
                records[partition, default: []] += batch.records
            }
        }
        return records
    }
    /// The facts that the handler wrote, of each partition in order.
    func facts() async throws -> [Fact] {
        try await records("tickets.events").sorted { $0.key < $1.key }.flatMap(\.value).compactMap {
            try TicketsEvent.kind(in: $0.value)
        }
    }
    /// Waits until a projection has folded all that is on its topics.
    func folded(_ projection: AnyProjection) async throws {
        let counts = try await log.partitionCounts()
        let partitions = projection.topics.flatMap { topic in
            (0..<(counts[topic] ?? 0)).map { TopicPartition(topic, Partition($0)) }
        }
        let ends = try await log.bounds(of: partitions).mapValues(\.upperBound).filter { $0.value > 0 }
        try await views.bell.until("\(projection.name) was up to date") {
            let asOf = try await views.read(projection) { _, asOf in asOf }
            return ends.allSatisfy { partition, end in asOf[partition].map { $0 >= end } ?? false }
        }
    }
    func rows(_ table: Table) async throws -> [Row] {
        try await views.read(seatmap) { reader, _ in try reader.rows(Scan(table, limit: .max)) }
    }
}

/// Opens a log with all topics and a view store for one test.
func site(_ carrier: Carrier, _ test: (Site) async throws -> Void) async throws {
    try await folder { folder in
        let log = try await carrier.log(folder)
        let views = WatchedViews(try carrier.views(folder))
        do {
            try await log.create(Domains.all.flatMap(\.topics) + [QuarantineLog.topic])
            for projection in Domains.all.flatMap(\.projections) { try await views.open(projection) }
            try await test(Site(log: log, views: views, keeping: carrier.keeps ? .hasty : nil))
        } catch {
            await views.close()
            await log.close()
            throw error
        }
        await views.close()
        await log.close()
    }
}

/// Runs services for as long as `body` runs; then stops them gracefully, and waits until they have.
func running<R>(_ services: any Service..., body: () async throws -> R) async throws -> R {
    var quiet = Logger(label: "services")
    quiet.logLevel = .critical
    let services = ServiceGroup(services: services, logger: quiet)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await services.run() }
        do {
            let result = try await body()
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
            return result
        } catch {
            await services.triggerGracefulShutdown()
            // Where a service failed, that is why the body did.
            try await group.waitForAll()
            throw error
        }
    }
}

/// Runs a service for as long as `body` runs, and then cancels it wherever it is.
func cutting(_ service: any Service, body: () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            do { try await service.run() } catch is CancellationError {}
        }
        try await body()
        group.cancelAll()
        try await group.waitForAll()
    }
}
