internal import EventModel
internal import SwiftProtobuf

/// What holds of caches, whatever happens.
enum CacheInvariants {
    /// The order of a key's events is such that who folds them never takes in what is older than it knows.
    static let nothingStaleIsCached = Invariant(
        "nothing stale is cached", over: CachedVersions.topics, of: "cache.versions",
        from: [String: Versions.State](),
        fold: { states, record, _ in
            guard let event = try CacheEvent.kind(in: record.value) else { return }
            let key = Versions.key(of: event)
            let state = states[key, default: Versions.State()]
            switch event {
            case .entryLoaded(let e) where e.revision <= state.cached || e.revision < state.invalidated:
                throw Violation("version \(e.revision) of \(key) is cached after \(state)")
            case .keyInvalidated(let e) where e.revision <= state.invalidated || e.revision < state.cached:
                throw Violation("version \(e.revision) of \(key) is invalidated after \(state)")
            case .entryWritten(let e) where e.revision <= state.least:
                throw Violation("version \(e.revision) of \(key) is written after \(state)")
            default: break
            }
            Versions.evolve(&states[key, default: Versions.State()], with: event, at: record.timestamp)
        },
        rows: { states, reader in
            var states = states
            try reader.everyRow(Scan(CachedVersions.keys)) { row in
                let key = row[CachedVersions.Key.name] ?? ""
                let shown = Versions.State(
                    cached: row[CachedVersions.Key.cached] ?? 0, invalidated: row[CachedVersions.Key.invalidated] ?? 0)
                var state = states.removeValue(forKey: key)
                state?.written = nil
                if shown != state {
                    throw Violation("\(key) is shown as \(shown), and is \(String(describing: state))")
                }
            }
            if let key = states.keys.min() { throw Violation("\(key) has versions and is not shown") }
        })

    /// What was written is in the store behind, the last of each key, once the store has come after.
    static let storeHasWhatWasWritten = Invariant(
        "the store behind has what was written last", over: StoredEntries.topics, of: "cache.store",
        from: [String: Versions.Written](),
        fold: { written, record, _ in
            guard case .entryWritten(let e)? = try CacheEvent.kind(in: record.value) else { return }
            written[e.key] = e.value.isEmpty ? nil : Versions.Written(revision: e.revision, value: e.value)
        },
        rows: { written, reader in
            var written = written
            try reader.everyRow(Scan(StoredEntries.entries)) { row in
                typealias Entry = StoredEntries.Entry
                let key = row[Entry.key] ?? ""
                let shown = Versions.Written(revision: row[Entry.revision] ?? 0, value: row[Entry.value] ?? "")
                let last = written.removeValue(forKey: key)
                if shown != last {
                    throw Violation("\(key) is stored as \(shown), and was written as \(String(describing: last))")
                }
            }
            if let key = written.keys.min() { throw Violation("\(key) was written and is not stored") }
        })

    static let ratiosAreSums = Invariant(
        "a node's requests and hits are those that it told", over: CacheRatios.topics, of: "cache.ratios",
        from: [String: [Int64]](),
        fold: { sums, record, _ in
            guard case .cacheAccessed(let e)? = try CacheAccess.kind(in: record.value) else { return }
            let sample = max(1, e.sample)
            let name = "\(e.node) \(e.policy)"
            let sum = sums[name, default: [0, 0]]
            sums[name] = [sum[0] + sample, sum[1] + (e.hit ? sample : 0)]
        },
        rows: { sums, reader in
            try reader.everyRow(Scan(CacheRatios.nodes)) { row in
                typealias Node = CacheRatios.Node
                let name = "\(row[Node.name] ?? "") \(row[Node.policy] ?? "")"
                let shown = [row[Node.requests] ?? 0, row[Node.hits] ?? 0]
                let told = sums[name, default: [0, 0]]
                if shown != told { throw Violation("\(name) is shown with \(shown), and told \(told)") }
            }
        })
}
