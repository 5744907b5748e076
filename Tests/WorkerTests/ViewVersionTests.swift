import EventLog
import EventModel
import Foundation
import Projecting
import SQLiteViews
import Testing

@Suite("The version of a view")
struct ViewVersionTests {
    private let p0 = TopicPartition("events", 0)
    private let projection = AnyProjection(ShelfOne.self, domain: "test")

    private func stores(_ test: (SQLiteViews, Shelf) async throws -> Void) async throws {
        try await folder { folder in
            // A store of its own each, as in two processes.
            let (reading, writing) = (try SQLiteViews(directory: folder), try SQLiteViews(directory: folder))
            try await test(reading, Shelf(views: writing, projection: projection))
            await reading.close()
            await writing.close()
        }
    }
    private func labels(_ views: SQLiteViews) throws -> [Row]? {
        try views.readNow(liveOf: projection) { reader, _ in try reader.rows(Scan(items)) }
    }

    @Test func `is another after each commit that a read has seen, by whichever process, and else the same`()
        async throws
    {
        try await stores { views, shelf in
            #expect(views.version(liveOf: projection) == nil, "there is nothing yet")
            try await shelf.views.open(projection)
            var last = try #require(views.version(liveOf: projection))
            for number in 1...50 {
                try await shelf.commit([p0: Offset(Int64(number))]) {
                    $0.put(items, ["a", 1, .text("\(number)"), .null])
                }
                let version = try #require(views.version(liveOf: projection))
                #expect(version != last, "commit \(number)")
                last = version
                #expect(try labels(views) == [["a", 1, .text("\(number)"), .null]])
                #expect(views.version(liveOf: projection) == last, "nothing was committed after \(number)")
            }
        }
    }

    @Test func `is of the build that is live, and nothing stays of one that was discarded`() async throws {
        try await stores { views, shelf in
            try await shelf.commit([p0: 1]) { $0.put(items, ["a", 1, "old", .null]) }
            let first = try #require(views.version(liveOf: projection))
            let other = Shelf(views: shelf.views, projection: projection.build(1))
            try await other.commit([p0: 1]) { $0.put(items, ["a", 1, "new", .null]) }
            #expect(try labels(views) == [["a", 1, "old", .null]])
            try await shelf.views.promote(1, of: projection)
            #expect(try labels(views) == [["a", 1, "new", .null]])
            let second = try #require(views.version(liveOf: projection))
            #expect(second != first && second.build == 1)
            try await shelf.views.promote(0, of: projection)
            #expect(try labels(views) == [["a", 1, "old", .null]])
            // The store that discards it has another in its place.
            try await views.discard(projection)
            #expect(views.version(liveOf: projection) == nil)
            let fresh = Shelf(views: views, projection: projection)
            try await fresh.commit([p0: 1]) { $0.put(items, ["b", 1, "fresh", .null]) }
            #expect(try labels(views) == [["b", 1, "fresh", .null]])
            let third = try #require(views.version(liveOf: projection))
            #expect(third != first)
        }
    }

    @Test func `and what is read at once are of one moment, beside a writer`() async throws {
        try await stores { views, shelf in
            try await shelf.commit([p0: 1]) { view in
                for number in Int64(0)..<20 { view.put(items, ["a", .integer(number), "0", .null]) }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for round in 1...200 {
                        try await shelf.commit([p0: Offset(Int64(round + 1))]) { view in
                            for number in Int64(0)..<20 {
                                view.put(items, ["a", .integer(number), .text("\(round)"), .null])
                            }
                        }
                    }
                }
                group.addTask {
                    var kept: (version: ViewVersion, label: Value)?
                    while kept?.label != "200" {
                        let version = try #require(views.version(liveOf: projection))
                        let read = try views.readNow(liveOf: projection) { reader, asOf in
                            try (
                                reader.rows(Scan(items, limit: 10)),
                                reader.rows(Scan(items, descending: true, limit: 10)), asOf()
                            )
                        }
                        guard let (some, others, asOf) = read else {
                            // It has waited for a disk, and rests.
                            await Task.yield()
                            continue
                        }
                        #expect(Set((some + others).map { $0[2] }).count == 1)
                        // Nobody who asks after this read is shown less.
                        let number = { (value: Value?) in value?.text.flatMap { Int($0) } ?? 0 }
                        #expect(asOf == [p0: Offset(Int64(number(some[0][2]) + 1))])
                        #expect(number(some[0][2]) >= number(kept?.label))
                        kept = (version, some[0][2])
                        try Task.checkCancellation()
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func `how far the rows have come is told though nothing else is read`() async throws {
        try await stores { views, shelf in
            for next in [1, 2, 2, 5] as [Offset] {
                try await shelf.commit([p0: next]) { $0.put(items, ["a", 1, .text("\(next)"), .null]) }
                for _ in 0..<2 {
                    #expect(try views.readNow(liveOf: projection) { _, asOf in try asOf() } == [p0: next])
                }
            }
        }
    }

    @Test func `a read that would hold up its thread is given up, and the next one is answered`() async throws {
        try await stores { views, shelf in
            try await shelf.commit([p0: 1]) { view in
                for number in Int64(0)..<10_000 { view.put(items, ["a", .integer(number), "label", .null]) }
            }
            func count(_ limit: Int) throws -> Int? {
                try views.readNow(liveOf: projection) { reader, asOf in
                    let rows = try reader.rows(Scan(items, limit: limit)).count
                    #expect(try asOf() == [p0: 1])
                    return rows
                }
            }
            #expect(try count(100) == 100)
            for _ in 0..<3 {
                #expect(try count(10_000) == nil)
                #expect(try count(500) == 500)
            }
            let all = try await views.read(liveOf: projection) { reader, _ in try reader.rows(Scan(items)).count }
            #expect(all == 10_000, "the long way has no such limit")
        }
    }
}
