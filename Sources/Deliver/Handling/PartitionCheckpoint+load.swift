internal import EventLog
internal import EventModel

/// What a checkpoint has.
extension PartitionCheckpoint {
    /// What a checkpoint remembers of some commands.
    struct Found {
        var entries: [KeyedID: Remembered.Entry] = [:]
        /// Of ids that stand there by themselves: they may be those of another key's commands.
        var unsure: [KeyedID: Remembered.Entry] = [:]
        var isEmpty: Bool { entries.isEmpty && unsure.isEmpty }
    }

    /// Loads the states of some keys; gives what the checkpoint remembers of some commands.
    ///
    /// - Throws: ``LogError/Kind/fenced`` where the checkpoint is another's now.
    @discardableResult
    func load(_ keys: [Bytes], ids: [KeyedID] = []) async throws -> Found {
        if let fenced { throw fenced }
        let (missing, sought) = lacking(keys, ids)
        var result = Found()
        var jsons: [String: String] = [:]
        if hasRows && !(missing.isEmpty && sought.isEmpty) {
            let asked = asked(missing, sought)
            (jsons, result) = try told(by: try await checkpoint.read { try asked.rows($0) }, asked)
        }
        try take(missing, jsons)
        return result
    }

    /// The same on the caller's thread, without waiting for anything but perhaps a disk.
    ///
    /// - Returns: nil where the store cannot do so now; nothing was loaded then.
    func loadNow(_ keys: [Bytes], ids: [KeyedID]) throws -> Found? {
        if let fenced { throw fenced }
        let (missing, sought) = lacking(keys, ids)
        var result = Found()
        var jsons: [String: String] = [:]
        if hasRows && !(missing.isEmpty && sought.isEmpty) {
            let asked = asked(missing, sought)
            guard let rows = try checkpoint.readNow({ try asked.rows($0) }) else { return nil }
            (jsons, result) = try told(by: rows, asked)
        }
        try take(missing, jsons)
        return result
    }

    /// Of some keys and commands, those of which the checkpoint may know.
    private func lacking(_ keys: [Bytes], _ ids: [KeyedID]) -> (keys: [Bytes], ids: [KeyedID]) {
        (states.missing(keys), hasRows ? self.ids.sought(ids.filter { remembered?[$0] == nil }) : [])
    }

    /// Loads the states of keys of several partitions in one read of the checkpoint that they share, where more than one of them misses
    /// some. Those of one alone are loaded when they are asked for.
    ///
    /// - Throws: ``LogError/Kind/fenced`` where the checkpoint is another's now.
    static func load(_ keys: [(of: PartitionCheckpoint, keys: [Bytes])]) async throws {
        for (part, _) in keys { if let fenced = part.fenced { throw fenced } }
        let wanted = keys.filter(\.of.hasRows).map { (part: $0.of, missing: $0.of.states.missing($0.keys)) }
            .filter { !$0.missing.isEmpty }
        guard wanted.count > 1, let first = wanted.first?.part else { return }
        let table = first.rows.states
        let places = wanted.flatMap { part, missing in
            missing.map { [Value(part.partition), .text($0.storable)] }
        }
        let found = Dictionary(grouping: try await first.checkpoint.read { try $0.rows(table, keys: places) }) { $0[0] }
        for (part, missing) in wanted { try part.take(missing, part.jsons(of: found[Value(part.partition)] ?? [])) }
    }

    /// Brings states into memory that the checkpoint has, or has not.
    private func take(_ keys: [Bytes], _ jsons: [String: String]) throws {
        for key in keys {
            do {
                try states.load(key, jsons[key.storable])
            } catch {
                throw damaged(
                    """
                    a state of \(key.text) cannot be read (\(error)). Raise the stateVersion where the state's shape has changed
                    """)
            }
        }
    }

    /// States by their keys' storable text.
    private func jsons(of states: [Row]) throws -> [String: String] {
        var jsons: [String: String] = [:]
        for row in states {
            guard let key = row[1].text, let text = row[3].text else { continue }
            guard let json = StateEncoding.json(of: text, key: key) else {
                throw damaged("a state of \(Bytes(storable: key).text) is not as it was written")
            }
            jsons[key] = json
        }
        return jsons
    }

    /// What is read of a checkpoint for some keys and commands.
    private struct Asked: Sendable {
        let rows: CheckpointRows
        let states: [Row]
        /// Commands by how their ids may stand there.
        let names: [String: [KeyedID]]
        let partition: Value

        func rows(_ reader: any ViewReader) throws -> (states: [Row], ids: [Row]) {
            (
                states.isEmpty ? [] : try reader.rows(rows.states, keys: states),
                names.isEmpty ? [] : try reader.rows(rows.ids, keys: names.keys.map { [partition, .text($0)] })
            )
        }
    }

    private func asked(_ keys: [Bytes], _ ids: [KeyedID]) -> Asked {
        let partition = Value(partition)
        let names = Dictionary(ids.map { ($0.storable, [$0]) }) { a, _ in a }
            .merging(self.ids.hasPlain ? ids.map { (Bytes($0.id).storable, [$0]) } : []) { $0 + $1 }
        return Asked(
            rows: rows, states: keys.map { [partition, .text($0.storable)] }, names: names, partition: partition)
    }

    /// The states of keys, by their storable text, and what is remembered of commands.
    private func told(
        by rows: (states: [Row], ids: [Row]), _ asked: Asked
    ) throws -> (jsons: [String: String], found: Found) {
        var found = Found()
        for row in rows.ids {
            guard let text = row[1].text, let entry = Remembered.Entry(row) else { continue }
            for id in asked.names[text] ?? [] {
                if KeyedID.isPlain(text) { found.unsure[id] = entry } else { found.entries[id] = entry }
            }
        }
        return (try jsons(of: rows.states), found)
    }

    /// Reads ahead which timers the checkpoint has, up to a moment and some more.
    func readTimers(by now: Timestamp) async throws {
        while hasRows && horizon <= now {
            let (ahead, limit) = (now + limits.lookahead, limits.timers)
            let scan = Scan(
                rows.states, by: "due", equal: [Value(partition)], from: .integer(from), through: Value(ahead),
                after: after, limit: limit)
            let page = try await checkpoint.read { try $0.rows(scan) }
            for row in page {
                if let key = row[1].text, let due = row[2].integer {
                    states.wait(for: Bytes(storable: key), due: Timestamp(due))
                }
            }
            if page.count == limit, let last = page.last, let due = last[2].integer {
                (after, horizon) = (scan.order.map { last[$0] }, Timestamp(due))
            } else {
                (after, horizon, from) = (nil, ahead, (ahead + .milliseconds(1)).rawValue)
            }
        }
    }

    /// When timers are to be read again.
    var nextReading: Timestamp? { hasRows ? horizon : nil }
}
