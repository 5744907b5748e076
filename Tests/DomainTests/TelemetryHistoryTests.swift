import EventModel
import Foundation
import SwiftProtobuf
import Testing

@testable import Domains

/// What happened is the same whether it was produced as it happened, imported in the order of time, or imported in any order;
/// so is what it was at every moment.
@Suite("A history of telemetry, told in several ways")
struct TelemetryHistoryTests {
    /// One thing that happened, as a producer's JSON and as an importer reads it.
    private struct Told {
        var time: Timestamp
        var json: [String: Any]
        var imported: NewRecord
    }

    /// What a program that produces it writes.
    private func produced(_ told: Told, _ domain: Domain, _ kind: String) throws -> NewRecord {
        let telemetry = try #require(domain.telemetry)
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
    private func expectSame(
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

    // MARK: Hits

    private func hits(_ seed: UInt64, seconds: Int) throws -> [Told] {
        var random = SeededRandom(seed)
        var reader = AccessLogReader(.told, site: .named("www"))
        return try (0..<300).map { _ in noon + .seconds(Int.random(in: 0...seconds, using: &random)) }.sorted().map {
            time in
            let (visitor, path) = (
                "10.0.0.\(Int.random(in: 1...9, using: &random))", "/\("abc".randomElement(using: &random)!)"
            )
            let (status, bytes) = (
                [200, 304, 404].randomElement(using: &random)!, Int.random(in: 1...9999, using: &random)
            )
            // 2026-01-01T12:00:00Z, as a server writes it.
            let day = time.rfc3339.prefix(10).split(separator: "-")
            let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
            let month = months[try #require(Int(day[1])) - 1]
            let clock = time.rfc3339.dropFirst(11).prefix(8)
            let line =
                "\(visitor) - - [\(day[2])/\(month)/\(day[0]):\(clock) +0000] \"GET \(path) HTTP/1.1\" \(status) \(bytes)"
            let record = try #require(try reader.read(ArraySlice(line.utf8)))
            let json: [String: Any] = [
                "site": "www", "path": path, "visitor": visitor, "method": "GET", "status": status, "bytes": "\(bytes)",
            ]
            return Told(time: time, json: json, imported: record)
        }
    }

    @Test(arguments: [1, 20_261_129, 0xfee] as [UInt64])
    func `of hits within an hour gives the same rows`(seed: UInt64) throws {
        try expectSame(hits(seed, seconds: 3600), .hits, "hits.events", kind: "Hit", seed: seed)
    }
    /// Which of them are late is a matter of their order; how many there are is not.
    @Test(arguments: [1, 20_261_129, 0xfee] as [UInt64])
    func `of hits of a day gives the same counts`(seed: UInt64) throws {
        try expectSame(hits(seed, seconds: 86_400), .hits, "hits.events", kind: "Hit", seed: seed) { rows in
            var rows = rows
            rows[HitWindows.seconds.name] = rows[HitWindows.seconds.name]?.map { row in
                Array(row[...2]) + [.integer((row[3].integer ?? 0) + (row[4].integer ?? 0))]
            }
            return rows
        }
    }

    // MARK: Rides

    @Test(arguments: [1, 20_261_129, 0xfee] as [UInt64])
    func `of positions gives the same rows`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        var table = try GPSTable(header: ArraySlice("driver,lat,lng,datetime".utf8))
        // Of a driver's positions at one moment the last told counts; here each has a moment of its own.
        let moments = Set((0..<400).map { _ in Int.random(in: 0...20_000, using: &random) }).sorted()
        let history = try moments.map { second in
            let (time, driver) = (noon + .seconds(second), "d\(Int.random(in: 1...40, using: &random))")
            let spot = Fleet.hard(&random)
            let line = "\(driver),\(spot.lat),\(spot.lng),\(time.rfc3339)"
            let json: [String: Any] = ["driver": driver, "lat": spot.lat, "lng": spot.lng]
            return Told(time: time, json: json, imported: try table.location(ArraySlice(line.utf8)))
        }
        try expectSame(history, .rides, "rides.locations", kind: "DriverLocation", seed: seed)
    }
}
