import EventLog
import EventModel
import Projecting
import Quarantining
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing

@testable import HitsDomain
@testable import TicketsDomain

/// A projection of hits whose code is wrong for some visitors, until it is mended.
struct Fragile: Projection {
    typealias Event = Only<HitsEvent>
    enum Fault: Hashable { case apply, finish, row }

    static let name = "fragile"
    static let version = 1
    static let about = ""
    static let topics = ["hits.events"]
    /// The visitors of each site, in the order in which they came.
    static let visitors = Table(
        "fragile_visitors", key: [Column("site", .text)], columns: [Column("visitors", .text)])
    static let tables = [visitors]
    /// What happens at a visitor of a site. Tests run side by side, each with sites of its own.
    static let faults = Mutex<[String: Fault]>([:])
    struct Wrong: Error, CustomStringConvertible {
        let description: String
    }

    private var isWrong = false

    mutating func apply(_ event: HitsEvent.OneOf_Kind, at place: EventPosition, to view: ViewBatch) throws {
        guard case .hit(let hit) = event else { return }
        let key: Row = [.text(hit.site)]
        var text = try view.row(Self.visitors, key)?[1].text ?? ""
        text += hit.visitor
        // Written before it fails, so that half an event would show.
        view.put(Self.visitors, key + [.text(text)])
        switch Self.faults.withLock({ $0["\(hit.site)/\(hit.visitor)"] }) {
        case nil: break
        case .apply: throw Wrong(description: "no good: \(hit.visitor)")
        case .finish: isWrong = true
        case .row: view.put(Self.visitors, key + [.text(text + "\0")])
        }
    }

    mutating func finish(_ view: ViewBatch) throws {
        if isWrong { throw Wrong(description: "no good in the end") }
    }
}

extension Site {
    /// Appends hits to one partition, each of a site (the record's key) and a visitor; returns their offsets.
    @discardableResult
    func hit(_ hits: [(site: String, visitor: String)], partition: Partition = 0) async throws -> [Offset] {
        let records = hits.map { site, visitor in
            let hit = HitsEvent.OneOf_Kind.hit(.with { ($0.site, $0.visitor) = (site, visitor) })
            return NewRecord(key: Bytes(site), value: HitsEvent.bytes(hit), timestamp: clock.now)
        }
        return try await log.append([Append(TopicPartition("hits.events", partition), records)])[0]
    }

    func garbage(_ key: Bytes, in target: TopicPartition) async throws -> Offset {
        let record = NewRecord(key: key, value: "garbage", timestamp: clock.now)
        return try await log.append([Append(target, [record])])[0][0]
    }

    /// Asks that a key's waiting records are redriven, and waits for the answer.
    func redrive(
        _ worker: String, _ source: TopicPartition, _ key: Bytes, drop: Int = 0, only: Offset? = nil
    ) async throws -> RedriveResult {
        let quarantine = quarantine
        let id = "ask-\(UInt64.random(in: 0 ... .max))"
        try await quarantine.append([
            .asked(RedriveRequest(id: id, worker: worker, source: source, key: key, drop: drop, only: only))
        ])
        return try await eventually("an answer of \(worker)") { try await quarantine.read().ended[id] }
    }

    func waiting(_ worker: String, _ source: TopicPartition) async throws -> Quarantine {
        try await quarantine.read().workers[worker]?[source] ?? Quarantine()
    }

    /// The visitors of each site, as the fragile projection has them.
    func visitors(_ projection: AnyProjection) async throws -> [String: String] {
        let rows = try await views.read(projection) { reader, _ in
            try reader.rows(Scan(Fragile.visitors, limit: .max))
        }
        return Dictionary(uniqueKeysWithValues: rows.map { ($0[0].text ?? "", $0[1].text ?? "") })
    }
}
