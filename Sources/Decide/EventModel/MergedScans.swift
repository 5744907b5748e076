/// Several scans read as one, in an order that they share: what a timeline is made of when it is read (merge at read).
///
/// Rows come a few at a time, so that a page costs what it shows, not what the scans hold.
public struct MergedScans {
    /// One of the scans that are merged.
    public struct Source {
        /// The rows, from where it begins.
        public var scan: Scan
        /// A row's place in the common order. Along the scan it must go in the scan's direction.
        public var place: (Row) -> Row

        /// A scan, and how its rows stand in the common order.
        public init(_ scan: Scan, place: @escaping (Row) -> Row) {
            self.scan = scan
            self.place = place
        }
    }

    /// One row, and which scan it is from.
    public struct Found {
        /// Which of the scans it is from, from 0.
        public var source: Int
        /// The row's place in the common order.
        public var place: Row
        /// The row as its scan gave it.
        public var row: Row
    }

    private struct Run {
        var source: Source
        var rows: ArraySlice<(place: Row, row: Row)> = []
        var isOver = false

        mutating func fill(_ reader: any ViewReader) throws {
            if !rows.isEmpty || isOver { return }
            let found = try reader.rows(source.scan)
            isOver = found.count < source.scan.limit
            if let last = found.last { source.scan.after = source.scan.order.map { last[$0] } }
            rows = found.map { (source.place($0), $0) }[...]
        }
    }

    private let reader: any ViewReader
    private let descending: Bool
    private var runs: [Run]

    /// - Parameters:
    ///   - sources: Each begins where its scan says; all go the same way.
    ///   - ahead: Rows read at once from each.
    ///   - reader: The view that they are read from.
    public init(_ sources: [Source], ahead: Int = 32, in reader: any ViewReader) throws {
        self.reader = reader
        let descending = sources.first?.scan.descending ?? false
        precondition(sources.allSatisfy { $0.scan.descending == descending }, "scans that are merged go the same way")
        self.descending = descending
        runs = sources.map { source in
            var source = source
            source.scan.limit = ahead
            return Run(source: source)
        }
        for i in runs.indices { try runs[i].fill(reader) }
    }

    /// The next row of all; of equal places the earlier source's first.
    public mutating func next() throws -> Found? {
        var best: Int?
        for i in runs.indices {
            guard let place = runs[i].rows.first?.place else { continue }
            if let other = best.flatMap({ runs[$0].rows.first?.place }) {
                if descending ? !precedes(other, place) : !precedes(place, other) { continue }
            }
            best = i
        }
        guard let best, let first = runs[best].rows.popFirst() else { return nil }
        try runs[best].fill(reader)
        return Found(source: best, place: first.place, row: first.row)
    }
}
