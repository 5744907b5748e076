import EventModel
import Projecting
import Testing

@Suite("A snapshot of a view")
struct SnapshotTests {
    private let p0 = TopicPartition("events", 0)

    @Test(arguments: Carrier.stores)
    func `shows rows and offsets as they were, whatever is committed after`(on carrier: Carrier) async throws {
        try await shelf(carrier) { shelf in
            try await shelf.commit([p0: 1]) { $0.put(items, ["a", 1, "old", .null]) }
            let first = try await shelf.views.snapshot(shelf.projection)
            try await shelf.commit([p0: 2]) { view in
                view.put(items, ["a", 1, "new", .null])
                view.put(items, ["b", 1, "new", .null])
            }
            let second = try await shelf.views.snapshot(shelf.projection)
            try await shelf.commit([p0: 3]) { $0.delete(items, ["a", 1]) }
            func rows(_ snapshot: any ViewSnapshot) async throws -> [Row] {
                try await snapshot.read { try $0.rows(Scan(items)) }
            }
            for _ in 0..<2 {
                #expect(first.asOf == [p0: 1] && second.asOf == [p0: 2])
                #expect(try await rows(first) == [["a", 1, "old", .null]])
                #expect(try await rows(second) == [["a", 1, "new", .null], ["b", 1, "new", .null]])
            }
            await first.close()
            #expect(try await rows(second).count == 2)
            await second.close()
            #expect(try await shelf.rows(Scan(items)) == [["b", 1, "new", .null]])
        }
    }

    @Test(arguments: Carrier.stores)
    func `leaves room for commits and queries, however many are held`(on carrier: Carrier) async throws {
        try await shelf(carrier) { shelf in
            var held: [any ViewSnapshot] = []
            for n in 1...20 as ClosedRange<Int64> {
                try await shelf.commit([p0: Offset(n)]) { $0.add(sums, ["x"], [1, n]) }
                held.append(try await shelf.views.snapshot(shelf.projection))
            }
            for (i, snapshot) in held.enumerated() {
                #expect(try await snapshot.read { try $0.sums([1], over: Scan(sums)) } == [Int64(i + 1)])
                await snapshot.close()
            }
        }
    }
}
