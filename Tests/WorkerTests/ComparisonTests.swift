import EventModel
import Projecting
import Testing

@testable import HitsDomain
@testable import TicketsDomain

@Suite("Two states of one view", .timeLimit(.minutes(10)))
struct ComparisonTests {
    private static let p0 = TopicPartition("events", 0)

    private func compare(_ a: Shelf, _ b: Shelf, keeping most: Int = 5) async throws -> Comparison {
        let (found, expected) = (try await a.views.snapshot(a.projection), try await b.views.snapshot(b.projection))
        let comparison = try await Comparison(of: a.projection, found: found, expected: expected, keeping: most)
        await found.close()
        await expected.close()
        return comparison
    }

    private static func row(_ number: Int64, _ label: Value = "x", weight: Value = .null) -> Row {
        [.text("n\(number % 7)"), .integer(number), label, weight]
    }

    @Test(arguments: Carrier.stores)
    func `that are the same have the same counts and hashes`(on carrier: Carrier) async throws {
        try await shelf(carrier) { a in
            try await shelf(.memory) { b in
                for shelf in [a, b] {
                    try await shelf.commit([Self.p0: 1]) { view in
                        for i in 0..<6000 { view.put(items, Self.row(Int64(i), weight: .real(Double(i) / 3))) }
                        view.add(sums, ["a"], [1, 2])
                    }
                }
                let comparison = try await compare(a, b)
                #expect(comparison.isEqual && comparison.first.isEmpty)
                #expect(comparison.tables.map(\.rows) == [6000, 1])
                #expect(try await compare(b, a).tables == comparison.tables)
            }
        }
    }

    @Test(arguments: Carrier.stores)
    func `that differ are told apart row by row`(on carrier: Carrier) async throws {
        let seed = UInt64.random(in: 0..<1_000_000)
        var random = SeededRandom(seed)
        try await shelf(carrier) { a in
            try await shelf(.memory) { b in
                let all = (0..<5500).map { Self.row($0) }
                let odd = Set((0..<40).map { _ in Int.random(in: 0..<all.count, using: &random) }).sorted()
                let (changed, rest) = (odd.filter { $0 % 3 == 0 }, odd.filter { $0 % 3 != 0 })
                let (missing, extra) = (Set(rest.filter { $0 % 3 == 1 }), Set(rest.filter { $0 % 3 == 2 }))
                try await a.commit([Self.p0: 1]) { view in
                    for (i, row) in all.enumerated() where !missing.contains(i) { view.put(items, row) }
                    for i in changed { view.put(items, Self.row(Int64(i), i % 2 == 0 ? .null : "y")) }
                }
                try await b.commit([Self.p0: 1]) { view in
                    for (i, row) in all.enumerated() where !extra.contains(i) { view.put(items, row) }
                }
                let comparison = try await compare(a, b, keeping: .max)
                #expect(comparison.tables[0].differences == odd.count, "seed \(seed)")
                #expect(Set(comparison.first.map { Int($0.key[1].integer ?? -1) }) == Set(odd), "seed \(seed)")
                for difference in comparison.first {
                    let i = Int(difference.key[1].integer ?? -1)
                    #expect((difference.found == nil) == missing.contains(i), "seed \(seed)")
                    #expect((difference.expected == nil) == extra.contains(i), "seed \(seed)")
                    #expect(difference.columns == (changed.contains(i) ? [2] : []), "seed \(seed)")
                }
                #expect(try await compare(a, b).first.count == min(5, odd.count))
            }
        }
    }

    @Test(arguments: Carrier.stores)
    func `are each held as one moment shows them`(on carrier: Carrier) async throws {
        try await shelf(carrier) { shelf in
            try await shelf.commit([Self.p0: 1]) { $0.put(items, Self.row(1)) }
            let held = try await shelf.views.snapshot(shelf.projection)
            try await shelf.commit([Self.p0: 2]) { view in
                view.put(items, Self.row(1, "later"))
                view.put(items, Self.row(2))
            }
            #expect(held.asOf == [Self.p0: 1])
            #expect(try await held.read { try $0.rows(Scan(items)) } == [Self.row(1)])
            let now = try await shelf.views.snapshot(shelf.projection)
            #expect(now.asOf == [Self.p0: 2])
            #expect(try await now.read { try $0.rows(Scan(items)) }.count == 2)
            await now.close()
            await held.close()
        }
    }
}
