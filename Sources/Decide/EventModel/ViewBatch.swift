/// What a projection reads and writes while it folds one batch: rows are loaded once and written once.
///
/// One thread owns it from start to end. A view store gives it the rows it asks for, and afterwards takes what changed.
public final class ViewBatch {
    /// What becomes of a row: it is there with these values, or it is not.
    public enum Change { case upsert(Row), delete(key: Row) }

    private let load: (Table, _ key: Row) throws -> Row?
    /// Why a row could not be loaded: no fault of the event that asked for it.
    public private(set) var failure: (any Error)?
    private var tables: [TableBatch] = []

    /// An empty batch over a store that gives the row of a key, or nil.
    public init(load: @escaping (Table, _ key: Row) throws -> Row?) { self.load = load }

    /// A view has few tables, and most of a batch is of one: to look through their names costs less than to hash one.
    private func batch(of table: Table) -> TableBatch {
        for batch in tables where batch.table.name == table.name { return batch }
        let batch = TableBatch(table)
        tables.append(batch)
        return batch
    }

    /// The row of that key as it stands now, nil where there is none.
    public func row(_ table: Table, _ key: Row) throws -> Row? {
        let batch = batch(of: table)
        if let slot = batch.slot(key) { return slot.row }
        let row: Row?
        do {
            row = try load(table, key)
        } catch {
            failure = error
            throw error
        }
        batch.set(key, row, dirty: false)
        return row
    }

    /// Writes a whole row, in place of one with the same key.
    public func put(_ table: Table, _ row: Row) {
        precondition(row.count == table.columns.count, "a row of \(table.name) has \(table.columns.count) values")
        batch(of: table).set(row.count == table.key ? row : Array(row.prefix(table.key)), row, dirty: true)
    }

    /// Changes a row where there is one; says whether there was.
    @discardableResult
    public func update(_ table: Table, _ key: Row, _ change: (inout Row) -> Void) throws -> Bool {
        guard var row = try row(table, key) else { return false }
        change(&row)
        put(table, row)
        return true
    }

    /// Removes the row of a key, if there is one.
    public func delete(_ table: Table, _ key: Row) { batch(of: table).set(key, nil, dirty: true) }

    /// Adds to the integer columns after the key without reading the row: a row that is missing counts as zeros.
    ///
    /// A table whose rows are added to is never put to, nor read from in a fold: what a row is then would depend on how records
    /// come in batches.
    public func add(_ table: Table, _ key: Row, _ deltas: [Int64]) {
        precondition(table.key + deltas.count == table.columns.count, "\(table.name): one delta a column after the key")
        batch(of: table).add(key, deltas)
    }

    /// The rows put or deleted, by key, so that the same batch writes in the same order.
    public func changes() -> [(table: Table, changes: [Change])] {
        tables.sorted { $0.table.name < $1.table.name }.compactMap { batch in
            batch.isTouched ? (batch.table, batch.changes()) : nil
        }
    }

    /// The rows added to, by key.
    public func additions() -> [(table: Table, rows: [(key: Row, deltas: [Int64])])] {
        tables.sorted { $0.table.name < $1.table.name }.compactMap { batch in
            batch.isAddedTo ? (batch.table, batch.additions()) : nil
        }
    }
}

/// What one batch reads and writes of one table.
private final class TableBatch {
    struct Slot {
        var key: Row
        var row: Row?
        var dirty: Bool
    }

    let table: Table
    /// In the order they came; of several of one key the last counts.
    private var slots: [Slot] = []
    /// Where the slot of a key is. Nil until a row is asked for: what is only written is told apart when it is sorted.
    private var places: [Row: Int]?
    private var sums: [(key: Row, deltas: [Int64])] = []
    private var sumPlaces: [Row: Int] = [:]

    init(_ table: Table) { self.table = table }

    var isTouched: Bool { !slots.isEmpty }
    var isAddedTo: Bool { !sums.isEmpty }
    private var mixed: String {
        "\(table.name): a table whose rows are added to is neither put to nor read from in a fold"
    }

    func slot(_ key: Row) -> Slot? {
        precondition(!isAddedTo, mixed)
        if places == nil {
            places = Dictionary(slots.indices.lazy.map { (self.slots[$0].key, $0) }) { $1 }
        }
        return places?[key].map { slots[$0] }
    }

    func set(_ key: Row, _ row: Row?, dirty: Bool) {
        precondition(!isAddedTo, mixed)
        if let place = places?[key] {
            slots[place].row = row
            slots[place].dirty = slots[place].dirty || dirty
        } else {
            places?[key] = slots.count
            slots.append(Slot(key: key, row: row, dirty: dirty))
        }
    }

    func add(_ key: Row, _ deltas: [Int64]) {
        precondition(!isTouched, mixed)
        if let place = sumPlaces[key] {
            for i in deltas.indices { sums[place].deltas[i] += deltas[i] }
        } else {
            sumPlaces[key] = sums.count
            sums.append((key, deltas))
        }
    }

    func changes() -> [ViewBatch.Change] {
        let inOrder = sorted(slots.count) { slots[$0].key }
        var changes: [ViewBatch.Change] = []
        changes.reserveCapacity(inOrder.count)
        for (i, (prefix, place)) in inOrder.enumerated() where slots[place].dirty {
            if i + 1 < inOrder.count, inOrder[i + 1].prefix == prefix,
                slots[inOrder[i + 1].place].key == slots[place].key
            {
                continue
            }
            changes.append(slots[place].row.map { .upsert($0) } ?? .delete(key: slots[place].key))
        }
        return changes
    }

    func additions() -> [(key: Row, deltas: [Int64])] { sorted(sums.count) { sums[$0].key }.map { sums[$0.place] } }

    /// The places of keys, in the keys' order and of equal keys in that of the places.
    private func sorted(_ count: Int, _ key: (Int) -> Row) -> [(prefix: RowPrefix, place: Int)] {
        var places = (0..<count).map { (prefix: RowPrefix(key($0)), place: $0) }
        places.sort { a, b in
            if a.prefix != b.prefix { return a.prefix < b.prefix }
            switch order(of: key(a.place), key(b.place)) {
            case .before: return true
            case .after: return false
            case .same: return a.place < b.place
            }
        }
        return places
    }
}
