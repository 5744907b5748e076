import Foundation
import Testing

@testable import bench

@Suite("A row of a benchmark")
struct RowTests {
    @Test func `shows the median and how far its rounds are apart`() {
        let row = Row("r", .perSecond, [300, 100, 200])
        #expect(row.median == 200)
        #expect(row.spread == 1)
        #expect(Row("r", .perSecond, [1, 2, 3, 4]).median == 2.5)
        #expect(Row("r", .perSecond, []).median == 0)
    }

    @Test func `is held against another round by round`() {
        // The machine was half as fast in the second round: the ratios say so, the medians do not.
        let row = Row("r", .perSecond, [200, 100, 220]).held(against: "other", [100, 50, 100])
        #expect(row.times == 2)
        #expect(Row("r", .perSecond, [200, 400]).held(against: "other", [100]).times == 3)
        #expect(Row("r", .perSecond, [200]).times == nil)
        #expect(Row("r", .perSecond, [200]).held(against: "absent", []).times == nil)
    }

    @Test func `has reached what its median and its ratio reach`() {
        let row = Row("r", .milliseconds, [10, 11, 12]).held(against: "other", [10, 10, 10])
        #expect(row.isReached(.atMost(11)) && !row.isReached(.atMost(10.9)))
        #expect(row.isReached(.atLeast(11)) && !row.isReached(.atLeast(11.1)))
        #expect(row.isReached(.timesAtMost(1.1)) && !row.isReached(.timesAtMost(1.05)))
        #expect(row.isReached(.timesAtLeast(1.1)) && !row.isReached(.timesAtLeast(1.15)))
        #expect(!Row("r", .milliseconds, [10]).isReached(.timesAtLeast(0)), "a ratio to nothing is not reached")
    }

    @Test func `is not held against what is not there, and reaches what it reaches by itself`() {
        let row = Row("r", .perSecond, [200], .atLeast(100), .timesAtLeast(5)).held(against: "absent", [])
        #expect(row.cells == ["r", "200 /s", "", "", "", "", "≥ 100 /s", "reached"])
        #expect(Row("r", .perSecond, [200], .timesAtLeast(5)).held(against: "absent", []).cells.last == "")
    }

    @Test func `writes numbers for people`() {
        #expect(Row.number(0.454) == "0.45")
        #expect(Row.number(45.44) == "45.4")
        #expect(Row.number(454) == "454")
        #expect(Row.number(1_234_567.4) == "1,234,567")
        #expect(Row.number(-1234) == "-1,234")
    }

    @Test func `is a line of a table, and of JSON`() throws {
        let rows = [
            Row("append", .perSecond, [2000, 1000], .timesAtLeast(2), .atLeast(5000)).held(
                against: "sync", [500, 500]),
            Row("resident", .megabytes, [41.25], .atMost(60)),
        ]
        #expect(
            Row.table(rows) == """
                row         median  spread  held against  its median  times  to reach
                append    1,500 /s     67%  sync              500 /s   3.00  ≥ 2.00x, ≥ 5,000 /s  missed
                resident   41.2 MB                                           ≤ 60.0 MB            reached
                """)
        let line = try JSONSerialization.jsonObject(with: JSONEncoder().encode(rows[0])) as? [String: Any]
        #expect(line?["row"] as? String == "append")
        #expect(line?["values"] as? [Double] == [2000, 1000])
        #expect(line?["times"] as? Double == 3)
        #expect(line?["reached"] as? Bool == false)
    }
}

@Suite("A picture of curves")
struct PictureTests {
    @Test func `has a line a curve, from the first point to the last`() {
        var rows = [10.0, 100.0].map { times in
            var row = Row("cost x \(Int(times))", .microseconds, [2 * times]).held(against: "x 1", [2])
            row.curve = ("cost <of> it", times)
            return row
        }
        rows.append(Row("other", .perSecond, [1]))
        let curves = Curve.all(in: rows)
        #expect(curves.count == 1)
        #expect(curves[0].points.map(\.times) == [1, 10, 100])
        #expect(curves[0].points.map(\.cost) == [2, 20, 200])
        let svg = Picture(curves: curves).svg
        #expect(svg.hasPrefix("<svg xmlns") && svg.hasSuffix("</svg>\n"))
        #expect(svg.split(separator: "<polyline").count == 2 && svg.split(separator: "<circle").count == 4)
        #expect(svg.contains("cost &lt;of> it") && svg.contains("x 100"))
    }
}

@Suite("What measures", .timeLimit(.minutes(10)))
struct MeasuringTests {
    @Test func `starts things at their rate, however long they last, and says when each was due`() async throws {
        let latencies = Latencies()
        let start = ContinuousClock.now
        // Each takes far longer than the pause between two.
        try await paced(40, aSecond: 1000) { i, due in
            #expect(due - start >= .milliseconds(i))
            try await Task.sleep(for: .milliseconds(30))
            latencies.note(.now - due)
        }
        #expect(latencies.count == 40)
        #expect(latencies.percentile(50) >= 30, "a wait counts from when it was due")
    }

    @Test func `measures the log and the disk under it`() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("millrace-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let rate = try Bench.syncs(folder, bytes: 4096, count: 10)
        #expect(rate > 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        let resident = try #require(Resident.now(getpid()))
        let most = try #require(Resident.most(getpid()))
        #expect(resident > 1 && most >= resident * 0.9)
    }
}
