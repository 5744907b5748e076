public import EventModel
internal import Foundation
internal import SwiftProtobuf

/// What happened to records that a worker could not handle.
public enum QuarantineEntry: Hashable, Sendable {
    /// A record waits, or was tried again and failed again.
    case parked(worker: String, TopicPartition, Quarantine.Parked)
    /// A record waits no more: it was handled, or dropped for good.
    case unparked(worker: String, TopicPartition, Offset, dropped: Bool)
    /// Somebody wants a key's waiting records handled again.
    case asked(RedriveRequest)
    /// A worker has a request in hand.
    case begun(id: String)
    case ended(RedriveResult)
    /// Records were past their retention before a worker came to them.
    case missed(worker: String, TopicPartition, Range<Offset>)

    public init?(_ bytes: Bytes) throws(Undecodable) {
        switch try QuarantineEvent.kind(in: bytes) {
        case nil: return nil
        case .recordParked(let e):
            self = .parked(
                worker: e.worker, TopicPartition(e.topic, Partition(rawValue: e.partition)),
                Quarantine.Parked(
                    offset: Offset(e.offset), key: Bytes(Array(e.key)), reason: e.reason, attempts: Int(e.attempts),
                    timestamp: Timestamp(e.time)))
        case .recordReleased(let e):
            self = .unparked(
                worker: e.worker, TopicPartition(e.topic, Partition(rawValue: e.partition)), Offset(e.offset),
                dropped: e.dropped)
        case .releaseAsked(let e):
            self = .asked(
                RedriveRequest(
                    id: e.id, worker: e.worker, source: TopicPartition(e.topic, Partition(rawValue: e.partition)),
                    key: Bytes(Array(e.key)), drop: e.drop < 0 ? .max : Int(e.drop),
                    only: e.offset < 0 ? nil : Offset(e.offset)))
        case .releaseBegun(let e): self = .begun(id: e.id)
        case .releaseEnded(let e):
            self = .ended(
                RedriveResult(
                    id: e.id, redriven: Int(e.released), dropped: Int(e.dropped), left: Int(e.left), reason: e.reason))
        case .recordsMissed(let e):
            self = .missed(
                worker: e.worker, TopicPartition(e.topic, Partition(rawValue: e.partition)),
                Offset(e.from)..<Offset(max(e.from, e.next)))
        }
    }

    private var kind: QuarantineEvent.OneOf_Kind {
        switch self {
        case .parked(let worker, let source, let parked):
            .recordParked(
                .with {
                    ($0.worker, $0.topic, $0.partition) = (worker, source.topic, source.partition.rawValue)
                    ($0.offset, $0.key) = (parked.offset.rawValue, .init(parked.key.slice))
                    ($0.reason, $0.attempts) = (parked.reason, Int32(clamping: parked.attempts))
                    $0.time = parked.timestamp.rawValue
                })
        case .unparked(let worker, let source, let offset, let dropped):
            .recordReleased(
                .with {
                    ($0.worker, $0.topic, $0.partition) = (worker, source.topic, source.partition.rawValue)
                    ($0.offset, $0.dropped) = (offset.rawValue, dropped)
                })
        case .asked(let request):
            .releaseAsked(
                .with {
                    ($0.id, $0.worker, $0.key) = (request.id, request.worker, .init(request.key.slice))
                    ($0.topic, $0.partition) = (request.source.topic, request.source.partition.rawValue)
                    $0.drop = request.drop == .max ? -1 : Int32(clamping: request.drop)
                    $0.offset = request.only?.rawValue ?? -1
                })
        case .begun(let id): .releaseBegun(.with { $0.id = id })
        case .ended(let end):
            .releaseEnded(
                .with {
                    ($0.id, $0.reason) = (end.id, end.reason)
                    ($0.released, $0.dropped) = (Int32(clamping: end.redriven), Int32(clamping: end.dropped))
                    $0.left = Int32(clamping: end.left)
                })
        case .missed(let worker, let source, let range):
            .recordsMissed(
                .with {
                    ($0.worker, $0.topic, $0.partition) = (worker, source.topic, source.partition.rawValue)
                    ($0.from, $0.next) = (range.lowerBound.rawValue, range.upperBound.rawValue)
                })
        }
    }

    private var worker: String {
        switch self {
        case .parked(let worker, _, _), .unparked(let worker, _, _, _), .missed(let worker, _, _): worker
        case .asked(let request): request.worker
        case .begun(let id): id
        case .ended(let end): end.id
        }
    }

    /// The entry on its way to the log.
    public func record(at now: Timestamp) -> NewRecord {
        let value = QuarantineEvent.bytes(kind)
        let type = QuarantineLog.schema.kindName(in: value)
        return NewRecord(
            key: Bytes(worker), value: value, timestamp: now, headers: [Header(HeaderName.type, Bytes(type))])
    }
}

extension QuarantineEvent: Envelope {
    typealias Kind = OneOf_Kind
}

/// A request that a worker handles a key's waiting records again, in order.
public struct RedriveRequest: Hashable, Sendable {
    public var id: String
    public var worker: String
    public var source: TopicPartition
    public var key: Bytes
    /// How many of the first are dropped before the others are handled.
    public var drop: Int
    /// The only record that is meant, where records have no key.
    public var only: Offset?
    public init(id: String, worker: String, source: TopicPartition, key: Bytes, drop: Int = 0, only: Offset? = nil) {
        (self.id, self.worker, self.source, self.key) = (id, worker, source, key)
        (self.drop, self.only) = (drop, only)
    }
}

/// What came of a request.
public struct RedriveResult: Hashable, Sendable {
    public var id: String
    public var redriven = 0
    public var dropped = 0
    /// Records of the key that wait still, and why the first of them does.
    public var left = 0
    public var reason = ""
    public init(id: String, redriven: Int = 0, dropped: Int = 0, left: Int = 0, reason: String = "") {
        (self.id, self.redriven, self.dropped, self.left, self.reason) = (id, redriven, dropped, left, reason)
    }

    /// A worker had it in hand and did not say how it ended.
    public static func unfinished(_ id: String) -> RedriveResult {
        RedriveResult(id: id, left: -1, reason: "the worker that had it in hand died, or lost the partition; ask again")
    }
}

extension Quarantine {
    /// The waiting records that a request is about, in order.
    public func parked(for request: RedriveRequest) -> [Parked] {
        request.only.map { self[$0].map { [$0] } ?? [] } ?? parked(of: request.key)
    }
}

extension Quarantine.Parked {
    /// The same record after one more failed attempt.
    public func failed(_ why: String) -> Quarantine.Parked {
        Quarantine.Parked(offset: offset, key: key, reason: why, attempts: attempts + 1, timestamp: timestamp)
    }

    /// What is said of one that the log does not have any more.
    public func gone(from source: TopicPartition) -> String {
        "\(source)@\(offset) is past its topic's retention: drop it"
    }
}
