import EventLog
import EventModel
import Projecting
import Testing

@Suite("A view store")
struct ViewStoreTests {
    private let p0 = TopicPartition("events", 0)
    private let p1 = TopicPartition("events", 1)
    private struct Broken: Error {}

    @Test(arguments: Carrier.stores)
    func `keeps what was put, updated, deleted and added, across commits`(on carrier: Carrier) async throws {
        try await shelf(carrier) { shelf in
            try await shelf.commit([p0: 1]) { view in
                view.put(items, ["a", 1, "one", .real(1.5)])
                view.put(items, ["b", 2, .null, .null])
                view.add(sums, ["x"], [1, 10])
            }
            try await shelf.commit([p0: 2]) { view throws in
                #expect(try view.row(items, ["b", 2]) == ["b", 2, .null, .null])
                #expect(try view.row(items, ["c", 3]) == nil)
                #expect(try view.update(items, ["a", 1]) { $0[2] = "uno" })
                #expect(try !view.update(items, ["c", 3]) { $0[2] = "tre" })
                view.delete(items, ["b", 2])
                view.delete(items, ["never", 0])
                view.add(sums, ["x"], [-3, 5])
                view.add(sums, ["y"], [0, 7])
            }
            #expect(try await shelf.rows(Scan(items)) == [["a", 1, "uno", .real(1.5)]])
            #expect(try await shelf.rows(Scan(sums)) == [["x", -2, 15], ["y", 0, 7]])
        }
    }

    @Test(arguments: Carrier.stores)
    func `writes rows and offsets together, or neither where the fold fails`(on carrier: Carrier) async throws {
        try await shelf(carrier) { shelf in
            try await shelf.commit([p0: 5]) { $0.put(items, ["a", 1, "one", .null]) }
            await #expect(throws: Broken.self) {
                try await shelf.commit([p0: 9, p1: 3]) { view in
                    view.put(items, ["a", 1, "other", .null])
                    view.add(sums, ["x"], [1, 1])
                    throw Broken()
                }
            }
            #expect(try await shelf.rows(Scan(items)) == [["a", 1, "one", .null]])
            #expect(try await shelf.rows(Scan(sums)) == [])
            #expect(try await shelf.offsets() == [p0: 5])
            try await shelf.commit([p0: 9, p1: 3]) { _ in }
            #expect(try await shelf.offsets() == [p0: 9, p1: 3])
        }
    }

    @Test(arguments: Carrier.stores)
    func `tells of commits for as long as it is watched, where it can tell`(on carrier: Carrier) async throws {
        try await shelf(carrier) { shelf in
            let (kept, released) = (Signal(), Signal())
            let watch = shelf.views.watch(shelf.projection, telling: kept)
            var other = shelf.views.watch(shelf.projection, telling: released)
            if watch == nil {
                #expect(carrier.testDescription == "postgres", "only a store on another machine cannot tell")
                return
            }
            #expect(other != nil)
            other = nil
            for i in 1...3 {
                let before = kept.version
                try await shelf.commit([p0: Offset(Int64(i))]) { $0.put(items, ["a", 1, "one", .null]) }
                await kept.wait(past: before, atMost: .seconds(30))
                #expect(kept.version > before, "commit \(i)")
            }
            #expect(released.version == 0)
            withExtendedLifetime(watch) {}
        }
    }

    @Test(arguments: Carrier.stores)
    func `gives each claim a higher epoch, and says where folding goes on`(on carrier: Carrier) async throws {
        try await shelf(carrier) { shelf in
            let (views, projection) = (shelf.views, shelf.projection)
            let first = try await views.claim(projection, [p0, p1], owner: "a")
            #expect(first.values.allSatisfy { $0.next == nil })
            try await views.commit(projection, to: [p0: 4], under: first.mapValues(\.epoch)) { _ in }
            let second = try await views.claim(projection, [p0], owner: "b")
            #expect(second[p0]?.next == 4)
            #expect(second[p0]?.epoch == first[p0].map { Epoch(rawValue: $0.epoch.rawValue + 1) })
            let third = try await views.claim(projection, [p0, p1], owner: "b")
            #expect(third[p1]?.next == nil)
            #expect(third[p0]?.epoch == second[p0].map { Epoch(rawValue: $0.epoch.rawValue + 1) })
        }
    }

    @Test(arguments: Carrier.stores)
    func `lets nobody commit under an epoch that was passed, or was never given`(on carrier: Carrier) async throws {
        try await shelf(carrier) { shelf in
            let (views, projection, p0, p1) = (shelf.views, shelf.projection, p0, p1)
            let old = try await views.claim(projection, [p0, p1], owner: "a").mapValues(\.epoch)
            try await views.commit(projection, to: [p0: 1], under: old) { $0.put(items, ["a", 1, "a", .null]) }
            let new = try await views.claim(projection, [p0], owner: "b").mapValues(\.epoch)
            func refused(_ offsets: [TopicPartition: Offset], _ epochs: [TopicPartition: Epoch]) async {
                let error = await #expect(throws: ViewError.self) {
                    try await views.commit(projection, to: offsets, under: epochs) {
                        $0.put(items, ["a", 1, "z", .null])
                    }
                }
                #expect(error?.kind == .fenced)
            }
            await refused([p0: 2], old)
            // One partition that is lost takes the other down with it.
            await refused([p0: 2, p1: 2], old)
            await refused([p0: 2], [:])
            await refused([p0: 2], [p0: Epoch(rawValue: 99)])
            await refused([TopicPartition("events", 7): 1], [TopicPartition("events", 7): Epoch(rawValue: 1)])
            #expect(try await shelf.offsets() == [p0: 1])
            #expect(try await shelf.rows(Scan(items)).map { $0[2] } == ["a"])
            try await views.commit(projection, to: [p0: 2], under: new) { _ in }
            try await views.commit(projection, to: [p1: 2], under: old) { _ in }
            #expect(try await shelf.offsets() == [p0: 2, p1: 2])
        }
    }

    @Test(arguments: Carrier.stores)
    func `does not mix two projections, nor two versions of one`(on carrier: Carrier) async throws {
        try await shelf(carrier) { shelf in
            try await shelf.commit([p0: 3]) { $0.put(items, ["a", 1, "one", .null]) }
            for other in [AnyProjection(Other.self, domain: "test"), AnyProjection(ShelfTwo.self, domain: "test")] {
                let second = Shelf(views: shelf.views, projection: other)
                try await second.views.open(other)
                #expect(try await second.rows(Scan(items)) == [])
                #expect(try await second.offsets() == [:])
                try await second.commit([p0: 1]) { $0.put(items, ["b", 2, "two", .null]) }
                #expect(try await second.rows(Scan(items)) == [["b", 2, "two", .null]])
            }
            #expect(try await shelf.rows(Scan(items)) == [["a", 1, "one", .null]])
            #expect(try await shelf.offsets() == [p0: 3])
        }
    }

    @Test(arguments: Carrier.stores.filter(\.isKept))
    func `that is kept finds everything again when it is opened anew`(on carrier: Carrier) async throws {
        try await folder { folder in
            let first = Shelf(
                views: try carrier.views(folder), projection: AnyProjection(ShelfOne.self, domain: "test"))
            try await first.views.open(first.projection)
            let old = try await first.views.claim(first.projection, [p0], owner: "a").mapValues(\.epoch)
            try await first.views.commit(first.projection, to: [p0: 3], under: old) { view in
                view.put(items, ["Zoë", .integer(.max), "\u{1f39f}", .real(0.1)])
                view.add(sums, ["x"], [.min, 1])
            }
            await first.views.close()
            let second = Shelf(views: try carrier.views(folder), projection: first.projection)
            #expect(try await second.rows(Scan(items)) == [["Zoë", .integer(.max), "\u{1f39f}", .real(0.1)]])
            #expect(try await second.rows(Scan(sums)) == [["x", .integer(.min), 1]])
            let claim = try await second.views.claim(second.projection, [p0], owner: "b")[p0]
            #expect(claim?.next == 3)
            #expect(claim?.epoch == old[p0].map { Epoch(rawValue: $0.rawValue + 1) })
            await second.views.close()
        }
    }

    @Test(arguments: Carrier.stores)
    func `shows a reader the rows of exactly the offsets it is told`(on carrier: Carrier) async throws {
        try await shelf(carrier) { shelf in
            let (views, projection, p0) = (shelf.views, shelf.projection, p0)
            let epochs = try await views.claim(projection, [p0], owner: "a").mapValues(\.epoch)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for n in 1...200 as ClosedRange<Int64> {
                        try await views.commit(projection, to: [p0: Offset(n)], under: epochs) { view in
                            view.add(sums, ["x"], [1, 2])
                        }
                    }
                }
                for _ in 0..<2 {
                    group.addTask {
                        var last: Int64 = 0
                        while last < 200 {
                            let (sum, offset) = try await views.read(projection) { reader, asOf in
                                (try reader.sums([1, 2], over: Scan(sums)), asOf[p0]?.rawValue ?? 0)
                            }
                            #expect(sum == [offset, 2 * offset])
                            #expect(offset >= last)
                            last = offset
                            await Task.yield()
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
