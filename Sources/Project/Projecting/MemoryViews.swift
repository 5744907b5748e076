public import EventLog
public import EventModel
internal import Synchronization

/// Views in memory, for tests.
public final class MemoryViews: ViewStore {
    private struct View: ViewReader {
        var rows: [String: [Row: Row]] = [:]
        var offsets: [TopicPartition: Offset] = [:]
        var epochs: [TopicPartition: Epoch] = [:]

        func matching(_ scan: Scan) -> [Row] {
            let order = scan.order
            return (rows[scan.table.name] ?? [:]).values.filter { row in
                for (i, value) in scan.equal.enumerated() where row[order[i]] != value { return false }
                let next = scan.equal.count < order.count ? row[order[scan.equal.count]] : .null
                // As in SQL, where nothing is known to be before or after null.
                if next == .null, scan.from != nil || scan.through != nil { return false }
                if let from = scan.from, precedes([next], [from]) { return false }
                if let through = scan.through, precedes([through], [next]) { return false }
                return true
            }
        }

        func rows(_ scan: Scan) -> [Row] {
            let order = scan.order
            let place = { (row: Row) in order.map { row[$0] } }
            let inOrder = matching(scan)
                .sorted { precedes(place($0), place($1)) != scan.descending }
                .filter { row in
                    guard let after = scan.after else { return true }
                    return scan.descending ? precedes(place(row), after) : precedes(after, place(row))
                }
            return Array(inOrder.prefix(scan.limit))
        }

        func rows(_ table: Table, keys: [Row]) -> [Row] { keys.compactMap { rows[table.name]?[$0] } }

        func sums(_ columns: [Int], over scan: Scan) -> [Int64] {
            matching(scan).reduce(into: [Int64](repeating: 0, count: columns.count)) { sums, row in
                for (i, column) in columns.enumerated() { sums[i] += row[column].integer ?? 0 }
            }
        }

        mutating func write(_ batch: ViewBatch) {
            for (table, changes) in batch.changes() {
                for change in changes {
                    switch change {
                    case .upsert(let row): rows[table.name, default: [:]][Array(row.prefix(table.key))] = row
                    case .delete(let key): rows[table.name]?[key] = nil
                    }
                }
            }
            for (table, additions) in batch.additions() {
                for (key, deltas) in additions {
                    let old = rows[table.name]?[key] ?? key + deltas.map { _ in .integer(0) }
                    rows[table.name, default: [:]][key] =
                        key + zip(old.dropFirst(table.key), deltas).map { .integer(($0.integer ?? 0) + $1) }
                }
            }
        }
    }
    private let views = Mutex<[String: View]>([:])
    /// Which build is live, by the first build's name.
    private struct Live {
        var build = 0
        var previous: Int?
        var heldUntil: ContinuousClock.Instant?
    }
    private let lives = Mutex<[String: Live]>([:])
    /// First builds' names of projections whose builds somebody has.
    private let locked = Mutex<Set<String>>([])
    private final class Lock: BuildLock {
        private let end: Mutex<(@Sendable () -> Void)?>
        init(end: @escaping @Sendable () -> Void) { self.end = Mutex(end) }
        func release() { end.withLock { $0.take() }?() }
    }
    private final class Watch: ViewWatch {
        private let end: @Sendable () -> Void
        init(end: @escaping @Sendable () -> Void) { self.end = end }
        deinit { end() }
    }
    private struct Watches {
        var next = 0
        var signals: [Int: (storage: String, signal: Signal)] = [:]
    }
    private let watches = Mutex(Watches())

    public init() {}

    public func watch(_ tables: any StoredTables, telling signal: Signal) -> (any ViewWatch)? {
        let id = watches.withLock { watches in
            watches.next += 1
            watches.signals[watches.next] = (tables.storage, signal)
            return watches.next
        }
        return Watch { [weak self] in self?.watches.withLock { $0.signals[id] = nil } }
    }

    public func open(_ tables: any StoredTables) {
        views.withLock { views in
            if views[tables.storage] == nil { views[tables.storage] = View() }
        }
    }

    public func claim(
        _ tables: any StoredTables, _ partitions: [TopicPartition], owner: String
    ) -> [TopicPartition: Claim] {
        views.withLock { views in
            var view = views[tables.storage] ?? View()
            defer { views[tables.storage] = view }
            return partitions.reduce(into: [:]) { claims, partition in
                let epoch = Epoch(rawValue: (view.epochs[partition]?.rawValue ?? 0) + 1)
                view.epochs[partition] = epoch
                claims[partition] = Claim(epoch: epoch, next: view.offsets[partition])
            }
        }
    }

    public func commit(
        _ tables: any StoredTables, to offsets: [TopicPartition: Offset], under epochs: [TopicPartition: Epoch],
        fold: @escaping @Sendable (ViewBatch) throws -> Void
    ) throws {
        try views.withLock { views in
            var view = views[tables.storage] ?? View()
            for partition in offsets.keys
            where view.epochs[partition] == nil || view.epochs[partition] != epochs[partition] {
                throw ViewError.fenced(tables, partition)
            }
            let before = view
            let batch = ViewBatch { table, key in before.rows[table.name]?[key] }
            try fold(batch)
            view.write(batch)
            view.offsets.merge(offsets) { $1 }
            views[tables.storage] = view
        }
        let told = watches.withLock { $0.signals.values.filter { $0.storage == tables.storage } }
        for watch in told { watch.signal.notify() }
    }

    public func read<R: Sendable>(
        _ tables: any StoredTables,
        _ body: @escaping @Sendable (_ reader: any ViewReader, _ asOf: [TopicPartition: Offset]) throws -> R
    ) throws -> R {
        let view = views.withLock { $0[tables.storage] ?? View() }
        return try body(view, view.offsets)
    }

    public func snapshot(_ projection: AnyProjection) -> any ViewSnapshot {
        Snapshot(view: views.withLock { $0[projection.storage] ?? View() })
    }

    private struct Snapshot: ViewSnapshot {
        let view: View
        var asOf: [TopicPartition: Offset] { view.offsets }
        func read<R: Sendable>(_ body: @escaping @Sendable (any ViewReader) throws -> R) throws -> R { try body(view) }
        func close() {}
    }

    public func builds(of projection: AnyProjection) -> Builds {
        let live = lives.withLock { $0[projection.build(0).storage] ?? Live() }
        let all = views.withLock { $0.keys.compactMap { projection.build(keptUnder: $0) }.sorted() }
        return Builds(
            live: live.build, previous: live.previous, all: all, isHeld: live.heldUntil.map { $0 > .now } ?? false)
    }

    public func promote(_ build: Int, of projection: AnyProjection) throws {
        if !builds(of: projection).all.contains(build) { throw ViewError.missing(projection.build(build)) }
        lives.withLock { lives in
            let before = lives[projection.build(0).storage] ?? Live()
            lives[projection.build(0).storage] = Live(build: build, previous: before.build)
        }
    }

    public func hold(_ projection: AnyProjection, for time: Duration) {
        lives.withLock { $0[projection.build(0).storage, default: Live()].heldUntil = .now + time }
    }

    public func lockBuilds(of projection: AnyProjection) throws -> any BuildLock {
        let name = projection.build(0).storage
        if !locked.withLock({ $0.insert(name).inserted }) { throw ViewError.rebuilding(projection, by: nil) }
        return Lock { [self] in locked.withLock { _ = $0.remove(name) } }
    }

    public func discard(_ tables: any StoredTables) {
        views.withLock { $0[tables.storage] = nil }
    }

    public func close() {}
}
