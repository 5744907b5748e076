internal import EventModel
internal import SwiftProtobuf

extension CacheCommand: Envelope {}
extension CacheEvent: Envelope {}

/// Which versions of a key may be in caches. The order of these events is what makes a stale fill lose, wherever it comes from: a node
/// folds them, and takes in nothing that is older than what it has read.
enum Versions: Decider {
    typealias Command = CacheCommand
    typealias Event = CacheEvent

    struct State: Codable, Sendable, Equatable {
        /// The newest version that a cache took in; 0 of none.
        var cached: Int64 = 0
        /// What is older than this is no longer so.
        var invalidated: Int64 = 0
        /// What was written last; nil where nothing was.
        var written: Written?
        var least: Int64 { max(cached, invalidated) }
    }

    struct Written: Codable, Sendable, Equatable {
        var revision: Int64
        var value: String
    }

    enum Rejection: Refusal, Hashable {
        case staleWrite(key: String, version: Int64, next: Int64)
        case staleFill(key: String, version: Int64, least: Int64)
        case newerIsCached(key: String, version: Int64, cached: Int64)
        case alreadySo(key: String, version: Int64)

        var reason: String {
            switch self {
            case .staleWrite: "stale-write"
            case .staleFill: "stale-fill"
            case .newerIsCached: "newer-is-cached"
            case .alreadySo: "already-so"
            }
        }
        var message: String {
            switch self {
            case .staleWrite(let key, let version, let next):
                "revision \(version) of \(key) was not written next, which is \(next); send WriteEntry, which gives the revision"
            case .staleFill(let key, let version, let least):
                "revision \(version) of \(key) is stale, the least that may be cached is \(least); load it again"
            case .newerIsCached(let key, let version, let cached):
                "revision \(cached) of \(key) is cached, which is newer than \(version); invalidate with the source's revision"
            case .alreadySo(let key, let version): "revision \(version) of \(key) is recorded already"
            }
        }
    }

    static let initial = State()
    /// 1: a value that is composed otherwise is another value.
    static let rules = 1

    static func key(of command: Command.Kind) -> String {
        switch command {
        case .setEntry(let c): c.key
        case .invalidateKey(let c): c.key
        case .writeEntry(let c): c.key
        }
    }
    static func key(of event: Event.Kind) -> String {
        switch event {
        case .entryLoaded(let e): e.key
        case .keyInvalidated(let e): e.key
        case .entryWritten(let e): e.key
        }
    }

    static func check(_ command: Command.Kind) throws(Malformed) {
        switch command {
        case .setEntry(let c): try check(c.key, c.revision, node: c.node)
        case .invalidateKey(let c): try check(c.key, c.revision, why: c.why)
        case .writeEntry(let c): try check(c.key, 1, node: c.node, value: c.value)
        }
    }
    static func check(_ event: Event.Kind) throws(Malformed) {
        switch event {
        case .entryLoaded(let e): try check(e.key, e.revision, node: e.node)
        case .keyInvalidated(let e): try check(e.key, e.revision, why: e.why)
        case .entryWritten(let e): try check(e.key, e.revision, node: e.node, value: e.value)
        }
    }
    private static func check(
        _ key: String, _ version: Int64, node: String? = nil, why: String = "", value: String = ""
    ) throws(Malformed) {
        try CacheLimits.check(key: key)
        try Check.range(version, "revision", CacheLimits.version)
        if let node { try Check.identifier(node, "node", atMost: CacheLimits.node) }
        try Check.optionalText(why, "why", atMost: CacheLimits.why)
        try Check.optionalText(value, "value", atMost: CacheLimits.value)
    }

    static func decide(
        _ command: Command.Kind, id: String, on state: State, at now: Timestamp
    ) throws(Rejection) -> [Event.Kind] {
        switch command {
        case .setEntry(let c):
            if c.revision < state.least {
                throw .staleFill(key: c.key, version: c.revision, least: state.least)
            }
            if c.revision == state.cached { return [] }
            return [.entryLoaded(.with { ($0.key, $0.revision, $0.node) = (c.key, c.revision, c.node) })]
        case .invalidateKey(let c):
            if c.revision < state.cached {
                throw .newerIsCached(key: c.key, version: c.revision, cached: state.cached)
            }
            if c.revision <= state.invalidated { return [] }
            return [.keyInvalidated(.with { ($0.key, $0.revision, $0.why) = (c.key, c.revision, c.why) })]
        case .writeEntry(let c):
            if state.least == .max { throw .staleWrite(key: c.key, version: .max, next: .max) }
            // What is so already is written once, as long as nothing newer was loaded from elsewhere.
            if let written = state.written, Bytes(written.value) == Bytes(c.value), written.revision == state.least {
                return []
            }
            return [
                .entryWritten(
                    .with { ($0.key, $0.revision, $0.node, $0.value) = (c.key, state.least + 1, c.node, c.value) })
            ]
        }
    }

    /// What is recorded elsewhere must be what a command would have made.
    static func admit(_ event: Event.Kind, on state: State, at now: Timestamp) throws(Rejection) {
        let (command, version): (Command.Kind, Int64)
        switch event {
        case .entryWritten(let e):
            if e.revision != state.least + 1 {
                throw .staleWrite(key: e.key, version: e.revision, next: state.least + 1)
            }
            (command, version) = (
                .writeEntry(.with { ($0.key, $0.node, $0.value) = (e.key, e.node, e.value) }), e.revision
            )
        case .entryLoaded(let e):
            (command, version) = (
                .setEntry(.with { ($0.key, $0.revision, $0.node) = (e.key, e.revision, e.node) }), e.revision
            )
        case .keyInvalidated(let e):
            (command, version) = (
                .invalidateKey(.with { ($0.key, $0.revision, $0.why) = (e.key, e.revision, e.why) }), e.revision
            )
        }
        if try decide(command, id: "", on: state, at: now).isEmpty {
            throw .alreadySo(key: key(of: event), version: version)
        }
    }

    static func evolve(_ state: inout State, with event: Event.Kind, at time: Timestamp) {
        switch event {
        case .entryLoaded(let e): state.cached = max(state.cached, e.revision)
        case .keyInvalidated(let e): state.invalidated = max(state.invalidated, e.revision)
        case .entryWritten(let e):
            state.cached = max(state.cached, e.revision)
            state.written = Written(revision: e.revision, value: e.value)
        }
    }
}
