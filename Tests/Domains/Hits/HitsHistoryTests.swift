import DomainTesting
import EventModel
import Foundation
import SwiftProtobuf
import Testing

@testable import HitsDomain

/// What happened is the same whether it was produced as it happened, imported in the order of time, or imported in any order;
/// so is what it was at every moment.
@Suite("A history of hits, told in several ways")
struct HitsHistoryTests {
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
}
