package import EventModel
internal import Foundation
internal import Testing

/// One thing that happened, as a producer's JSON and as an importer reads it.
package struct Told {
    package var time: Timestamp
    package var json: [String: Any]
    package var imported: NewRecord

    package init(time: Timestamp, json: [String: Any], imported: NewRecord) {
        (self.time, self.json, self.imported) = (time, json, imported)
    }
}

/// What a program that produces it writes.
private func produced(_ told: Told, _ domain: Domain, _ kind: String) throws -> NewRecord {
    let telemetry = try #require(domain.telemetry.first { $0.events.kind(named: kind) != nil })
    let json = Bytes([UInt8](try JSONSerialization.data(withJSONObject: told.json)))
    let value = try telemetry.events.encode(#require(telemetry.events.kind(named: kind)), json: json)
    return NewRecord(key: try telemetry.keyOfEvent(value), value: value, timestamp: told.time)
}
/// Records where a log puts them.
private func placed(_ records: [NewRecord], _ topic: String) -> [Placed] {
    var ends: [Partition: Int64] = [:]
    return records.map { record in
        let partition = Partitioner.partition(of: record.key, among: 4)
        defer { ends[partition, default: 0] += 1 }
        let offset = Offset(ends[partition, default: 0])
        let time = record.timestamp
        return (
            TopicPartition(topic, partition),
            Record(offset: offset, timestamp: time, key: record.key, value: record.value)
        )
    }
}
/// The rows of the records up to a moment, in the order of the log.
private func rows(_ records: [Placed], _ domain: Domain, until time: Timestamp? = nil) throws -> [String: [Row]] {
    let fold = Fold(projection: domain.projections[0])
    for start in stride(from: 0, to: records.count, by: 37) {
        let part = records[start..<min(start + 37, records.count)]
        try fold.take(part.filter { time == nil || $0.record.timestamp <= time! })
    }
    return try fold.rows()
}

/// Rows of the history told in three ways, at its end and as of every moment, are equal.
package func expectSame(
    _ history: [Told], _ domain: Domain, _ topic: String, kind: String, seed: UInt64,
    normal: ([String: [Row]]) -> [String: [Row]] = { $0 }
) throws {
    var random = SeededRandom(seed &+ 77)
    let live = placed(try history.map { try produced($0, domain, kind) }, topic)
    let imported = placed(history.map(\.imported), topic)
    let mixed = placed(history.shuffled(using: &random).map(\.imported), topic)
    #expect(
        live.map(\.record) == imported.map(\.record) && live.map(\.source) == imported.map(\.source), "seed \(seed)"
    )
    #expect(mixed.map(\.record) != imported.map(\.record), "seed \(seed)")
    let right = try rows(live, domain)
    #expect(right.values.allSatisfy { !$0.isEmpty } && right.values.contains { $0.count > 20 }, "seed \(seed)")
    #expect(try normal(rows(mixed, domain)) == normal(right), "any order, seed \(seed)")
    for told in history where Int.random(in: 0..<25, using: &random) == 0 {
        // What a log cut at that moment has: nothing is known of what comes.
        let then = try rows(live.filter { $0.record.timestamp <= told.time }, domain)
        for (way, records) in [("in order", imported), ("any order", mixed)] {
            let past = try rows(records, domain, until: told.time)
            #expect(normal(past) == normal(then), "\(way) as of \(told.time.rfc3339), seed \(seed)")
        }
    }
}
