/// What one client asked of one key, and what it was told.
struct Operation: Sendable, Hashable, CustomStringConvertible {
    enum Kind: Sendable, Hashable {
        case get, getRevision, set(Int), delete, increment
        case compareAndSet(expected: Int64, Int)
    }
    enum Answer: Sendable, Hashable {
        /// Nobody knows whether it was done, then or ever.
        case unknown
        case ok
        case value(Int?)
        case valueAt(Int?, revision: Int64)
        case count(Int)
        /// The revision that it made, nil where another was there.
        case swapped(Int64?)
    }
    var client: Int
    var kind: Kind
    var answer: Answer
    /// Of a clock that all clients share; an operation without an answer ends at no time.
    var began: Int64
    var ended: Int64

    var description: String { "client \(client) \(kind) -> \(answer) [\(began), \(ended == .max ? "" : "\(ended)")]" }
}

/// A key as it should be: a value, and a revision that each change raises by one.
struct Register: Hashable {
    var value: Int?
    var revision: Int64 = 0

    /// What the key is after an operation; nil where it could not have been answered so.
    func after(_ operation: Operation) -> Register? {
        var next = self
        let answer: Operation.Answer
        switch operation.kind {
        case .get: answer = .value(value)
        case .getRevision: answer = .valueAt(value, revision: value == nil ? 0 : revision)
        case .set(let new):
            if value != new { (next.value, next.revision) = (new, revision + 1) }
            answer = .ok
        case .delete:
            if value != nil { (next.value, next.revision) = (nil, revision + 1) }
            answer = .count(value == nil ? 0 : 1)
        case .increment:
            (next.value, next.revision) = ((value ?? 0) + 1, revision + 1)
            answer = .value(next.value)
        case .compareAndSet(let expected, let new):
            if expected == (value == nil ? 0 : revision) {
                if value != new { (next.value, next.revision) = (new, revision + 1) }
                answer = .swapped(next.revision)
            } else {
                answer = .swapped(nil)
            }
        }
        return operation.answer == .unknown || operation.answer == answer ? next : nil
    }
}

/// Whether there is an order of operations, each at a moment between its beginning and its end, that answers all as they were
/// answered: the search of Wing and Gong ("Testing and verifying concurrent objects", 1993), which remembers what it has tried
/// (Lowe, "Testing for linearizability", 2017), as Porcupine does it.
struct Linearizability {
    enum Verdict: Equatable { case yes, no, gaveUp }

    private struct Tried: Hashable {
        var done: [UInt64]
        var state: Register
    }

    /// - Parameter limit: How many states are looked at before it gives up.
    static func check(_ operations: [Operation], from start: Register = Register(), limit: Int = 5_000_000) -> Verdict {
        // Beginnings and ends in their order, in a list whose places can be taken out. At one moment beginnings come first.
        let entries = operations.indices.flatMap { n in
            [(time: operations[n].began, isEnd: 0, n: n), (operations[n].ended, 1, n)]
        }.sorted { ($0.time, $0.isEnd, $0.n) < ($1.time, $1.isEnd, $1.n) }
        let count = entries.count
        var next = Array(1...max(1, count + 1))
        var before = Array(-1..<count)
        var endOf = Array(repeating: 0, count: operations.count)
        for (place, entry) in entries.enumerated() where entry.isEnd == 1 { endOf[entry.n] = place }
        // Place `count` stands before the first, and is its own.
        var first = 0
        func takeOut(_ place: Int) {
            if before[place] >= 0 { next[before[place]] = next[place] } else { first = next[place] }
            if next[place] < count { before[next[place]] = before[place] }
        }
        func putBack(_ place: Int) {
            if before[place] >= 0 { next[before[place]] = place } else { first = place }
            if next[place] < count { before[next[place]] = place }
        }

        var (state, done) = (start, Array(repeating: UInt64(0), count: (operations.count + 63) / 64))
        var (tried, stack) = (Set<Tried>(), [(place: Int, state: Register)]())
        var place = first
        while first < count {
            let entry = entries[place]
            if entry.isEnd == 0, let after = state.after(operations[entry.n]) {
                var marked = done
                marked[entry.n / 64] |= 1 << UInt64(entry.n % 64)
                if tried.insert(Tried(done: marked, state: after)).inserted {
                    if tried.count > limit { return .gaveUp }
                    stack.append((place, state))
                    (state, done) = (after, marked)
                    takeOut(place)
                    takeOut(endOf[entry.n])
                    place = first
                    continue
                }
            }
            if entry.isEnd == 0 {
                place = next[place]
                continue
            }
            // What ends here was done by nobody yet: the last that was done was done too early.
            guard let last = stack.popLast() else { return .no }
            let n = entries[last.place].n
            state = last.state
            done[n / 64] &= ~(1 << UInt64(n % 64))
            putBack(endOf[n])
            putBack(last.place)
            place = next[last.place]
        }
        return .yes
    }
}
