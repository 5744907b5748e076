package import EventModel
internal import Foundation
internal import SwiftProtobuf

/// A change of keys as those ask for it that speak another protocol: it becomes a command of the domain.
package enum KeyWrite: Sendable, Hashable {
    /// When a key goes by itself.
    package enum Expiry: Sendable, Hashable {
        case never, kept
        /// Milliseconds from when it is decided.
        case after(Int64)
        case at(Timestamp)
    }
    /// Where it is done at all.
    package enum Condition: Sendable, Hashable { case always, ifAbsent, ifPresent }

    /// A key and its value.
    package struct Pair: Sendable, Hashable {
        package var key: Bytes
        package var value: Bytes
        package init(key: Bytes, value: Bytes) { (self.key, self.value) = (key, value) }
    }

    case put(key: Bytes, value: Bytes, Expiry, Condition)
    case delete(key: Bytes)
    case compareAndSet(key: Bytes, expected: Int64, value: Bytes, ttl: Int64?)
    case putMany([Pair], ifAbsent: Bool)
    case increment(key: Bytes, by: Int64)
    case append(key: Bytes, value: Bytes)
    /// Never makes it stay.
    case expire(key: Bytes, Expiry)

    /// The command, under an id.
    ///
    /// - Throws: ``Malformed``, where the domain would not take it.
    package func command(id: String) throws(Malformed) -> EncodedCommand {
        let kind = try kind()
        try KeyValues.check(kind)
        return EncodedCommand(
            type: type, key: Bytes(KeyValues.key(of: kind)), value: KVCommand.bytes(kind), id: id)
    }

    private var type: String {
        switch self {
        case .put: "Put"
        case .delete: "Delete"
        case .compareAndSet: "CompareAndSet"
        case .putMany: "PutMany"
        case .increment: "Increment"
        case .append: "AppendBytes"
        case .expire(_, .never): "Persist"
        case .expire: "Expire"
        }
    }

    private func kind() throws(Malformed) -> KVCommand.Kind {
        switch self {
        case .put(let key, let value, let expiry, let condition):
            var put = KVPut()
            (put.key, put.value) = (try Self.text(key), Self.data(value))
            switch expiry {
            case .never: break
            case .kept: put.keepTtl = true
            case .after(let ttl): put.ttlMs = ttl
            case .at(let moment): put.expiresAt = moment.proto
            }
            (put.ifAbsent, put.ifPresent) = (condition == .ifAbsent, condition == .ifPresent)
            return .put(put)
        case .delete(let key):
            let key = try Self.text(key)
            return .delete(.with { $0.key = key })
        case .compareAndSet(let key, let expected, let value, let ttl):
            let key = try Self.text(key)
            return .compareAndSet(
                .with {
                    ($0.key, $0.expected, $0.value, $0.ttlMs) = (key, expected, Self.data(value), ttl ?? 0)
                })
        case .putMany(let pairs, let ifAbsent):
            var many = KVPutMany()
            many.ifAbsent = ifAbsent
            for pair in pairs {
                var one = KVPair()
                (one.key, one.value) = (try Self.text(pair.key), Self.data(pair.value))
                many.pairs.append(one)
            }
            return .putMany(many)
        case .increment(let key, let by):
            let key = try Self.text(key)
            return .increment(.with { ($0.key, $0.by) = (key, by) })
        case .append(let key, let value):
            let key = try Self.text(key)
            return .appendBytes(.with { ($0.key, $0.value) = (key, Self.data(value)) })
        case .expire(let key, let expiry): return try Self.expire(Self.text(key), expiry)
        }
    }

    private static func expire(_ key: String, _ expiry: Expiry) throws(Malformed) -> KVCommand.Kind {
        switch expiry {
        case .never, .kept: .persist(.with { $0.key = key })
        case .after(let ttl): .expire(.with { ($0.key, $0.ttlMs) = (key, ttl) })
        case .at(let moment): .expire(.with { ($0.key, $0.expiresAt) = (key, moment.proto) })
        }
    }

    private static func text(_ key: Bytes) throws(Malformed) -> String {
        guard let text = key.validText else { throw Malformed("key", "is not UTF-8") }
        return text
    }

    private static func data(_ value: Bytes) -> Data { Data(value.slice) }
}
