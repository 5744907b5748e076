package import EventModel
package import Projecting
package import Testing

/// A record and the partition it stands in.
package typealias Placed = (source: TopicPartition, record: Record)

extension Domain {
    package func projection(_ name: String) -> AnyProjection {
        guard let projection = projections.first(where: { $0.name == name }) else { preconditionFailure("no \(name)") }
        return projection
    }
}

/// A projection's rows as they grow, batch by batch, in memory.
package struct Fold {
    package let projection: AnyProjection
    package let views = MemoryViews()

    package init(projection: AnyProjection) { self.projection = projection }

    /// Folds records in one commit.
    package func take(_ records: some Sequence<Placed>) throws {
        var batches: [TopicPartition: [Record]] = [:]
        for (source, record) in records { batches[source, default: []].append(record) }
        let work = batches.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        let claims = views.claim(projection, Array(batches.keys), owner: "test")
        try views.commit(
            projection, to: batches.compactMapValues { $0.last.map { $0.offset + 1 } }, under: claims.mapValues(\.epoch)
        ) { view in try projection.fold(work, into: view) }
    }

    /// All rows of all tables.
    package func rows() throws -> [String: [Row]] {
        let tables = projection.tables
        return try views.read(projection) { reader, _ in
            try tables.reduce(into: [:]) { $0[$1.name] = try reader.rows(Scan($1, limit: .max)) }
        }
    }
    package func rows(_ table: Table) throws -> [Row] { try rows()[table.name] ?? [] }

    /// Asks one of the domain's queries.
    package func ask(
        _ domain: Domain, _ name: String, _ values: [String: Value] = [:], now: Timestamp = noon,
        limit: Int = Limits.pageRows, from cursor: Row? = nil
    ) throws -> Page {
        let query = try #require(domain.queries.first { $0.name == name })
        #expect(query.projection == projection.name)
        let arguments = Arguments(values, now: now, limit: limit, cursor: cursor)
        return try views.read(projection) { reader, _ in try query.answer(arguments, reader) }
    }

    /// Folds records in one batch, one record a batch, and in batches of random sizes: the rows must be equal.
    package static func everyWay(
        _ projection: AnyProjection, _ records: [Placed], seed: UInt64 = 1,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Fold {
        let whole = Fold(projection: projection)
        try whole.take(records)
        let rows = try whole.rows()
        let single = Fold(projection: projection)
        for record in records { try single.take([record]) }
        #expect(try single.rows() == rows, "one record a batch", sourceLocation: sourceLocation)
        var random = SeededRandom(seed)
        for most in [3, 10, 100, 1000] {
            let split = Fold(projection: projection)
            var rest = records[...]
            while !rest.isEmpty {
                let size = Int.random(in: 1...most, using: &random)
                try split.take(rest.prefix(size))
                rest = rest.dropFirst(size)
            }
            #expect(
                try split.rows() == rows, "batches of up to \(most), seed \(seed)", sourceLocation: sourceLocation)
        }
        return whole
    }
}

extension Emission {
    /// The one record of an emission for one key.
    package var key: Bytes { records(among: 1)[0].key }
    package var value: Bytes { records(among: 1)[0].value }
}
