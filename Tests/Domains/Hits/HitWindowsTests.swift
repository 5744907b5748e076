import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import HitsDomain

@Suite("Windows of hits")
struct HitWindowsTests {
    private let windows = Domain.hits.projection("hits.windows")

    private func hit(_ site: String, _ milliseconds: Int64, in partition: Partition = 0, offset: Int64 = 0) -> Placed {
        let event = HitsEvent.with { $0.hit = .with { ($0.site, $0.path, $0.visitor) = (site, "/", "v") } }
        return (
            TopicPartition("hits.events", partition),
            Record(
                offset: Offset(offset), timestamp: Timestamp(noon.rawValue + milliseconds), key: Bytes(site),
                value: HitsEvent.bytes(.hit(event.hit)))
        )
    }
    /// Hits in time and late in a window.
    private func count(
        _ fold: Fold, _ site: String?, _ window: Int64?, at seconds: Int64
    ) throws -> [Value] {
        var values: [String: Value] = ["at": Value(after(seconds))]
        if let site { values["site"] = .text(site) }
        if let window { values["window"] = .integer(window * 1000) }
        let page = try fold.ask(.hits, "hits.window", values)
        #expect(page.rows.count == 1 && page.next == nil)
        return Array(page.rows[0][3...4])
    }

    @Test func `the last second counts whole, and so does the first`() throws {
        let fold = try Fold.everyWay(
            windows, [hit("a", -1), hit("a", 0), hit("a", 999), hit("a", 1000), hit("a", 59_999), hit("a", 60_000)])
        #expect(try count(fold, "a", 60, at: 59) == [4, 0])
        #expect(try count(fold, "a", nil, at: 59) == [4, 0])
        #expect(try count(fold, "a", 60, at: 60) == [3, 0])
        #expect(try count(fold, "a", 61, at: 60) == [5, 0])
        #expect(try count(fold, "a", 1, at: 0) == [2, 0])
        #expect(try count(fold, "a", 1, at: -1) == [1, 0])
        #expect(try count(fold, "a", 3600, at: 3599) == [5, 0])
        #expect(try count(fold, "b", 3600, at: 60) == [0, 0])
        #expect(try count(fold, "a", 60, at: 200_000) == [0, 0])
    }
    @Test func `an answer says its site, second, length and average`() throws {
        let fold = try Fold.everyWay(windows, [hit("a", 0), hit("a", 500), hit("b", 500)])
        let page = try fold.ask(
            .hits, "hits.window", ["site": "a", "window": 300_000], now: noon + .milliseconds(1999))
        #expect(page.columns.map(\.name) == ["site", "at", "window", "hits", "late", "average"])
        #expect(page.rows == [["a", Value(after(1)), 300, 2, 0, .real(2.0 / 300)]])
        let all = try fold.ask(.hits, "hits.window", now: noon)
        #expect(all.rows == [["*", Value(noon), 60, 3, 0, .real(0.05)]])
    }
    @Test func `a hit an hour behind its site's newest is in time, one further behind is late`() throws {
        let fold = try Fold.everyWay(
            windows,
            [hit("a", 3_600_000), hit("a", 0), hit("a", -1), hit("b", -1), hit("a", 0, in: 1), hit("a", -5000)])
        #expect(try count(fold, "a", 10, at: 0) == [2, 2])
        #expect(try count(fold, "a", 1, at: 0) == [2, 0])
        #expect(try count(fold, "b", 10, at: 0) == [1, 0])
        #expect(try count(fold, nil, 10, at: 0) == [3, 2])
        #expect(try fold.rows(HitWindows.watermarks).count == 3)
    }
    @Test func `a window is whole seconds, from one to an hour`() throws {
        let fold = Fold(projection: windows)
        for bad in [0, -1000, 999, 1500, 3_600_001, 3_601_000, .max, .min] as [Int64] {
            let no = #expect(throws: Malformed.self) {
                try fold.ask(.hits, "hits.window", ["window": .integer(bad)])
            }
            #expect(no == Malformed("window", "must be whole seconds, 1s to 1h"))
        }
        for good in [1000, 3_600_000] as [Int64] {
            #expect(try fold.ask(.hits, "hits.window", ["window": .integer(good)]).rows[0][3] == 0)
        }
    }

    @Test func `each second that had hits has a row, added up over partitions, page by page`() throws {
        let fold = try Fold.everyWay(
            windows,
            [hit("a", 0), hit("a", 3999), hit("a", 0, in: 1), hit("a", 9000, in: 2), hit("b", 500), hit("a", -51_000)])
        func seconds(_ site: String?, limit: Int = 100, cursor: Row? = nil) throws -> Page {
            var values: [String: Value] = ["at": Value(after(9)), "window": 60_000]
            if let site { values["site"] = .text(site) }
            return try fold.ask(.hits, "hits.seconds", values, limit: limit, from: cursor)
        }
        let all = try seconds("a")
        #expect(all.columns.map(\.name) == ["at", "hits", "late"] && all.next == nil)
        #expect(all.rows == [[Value(after(0)), 2, 0], [Value(after(3)), 1, 0], [Value(after(9)), 1, 0]])
        #expect(try seconds(nil).rows.first == [Value(after(0)), 3, 0])
        #expect(try seconds("none").rows == [])
        let first = try seconds("a", limit: 2)
        let second = try seconds("a", limit: 2, cursor: first.next)
        #expect(first.rows + second.rows == all.rows && first.rows.count == 2 && second.next == nil)
        for cursor in [[1, 2], ["a"], [.integer(after(-60).second)]] as [Row] {
            #expect(throws: Malformed.self) { try seconds("a", cursor: cursor) }
        }
    }

    @Test(arguments: [1, 1995, 0xbeef] as [UInt64])
    func `any window at any second equals a count by hand`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let sites = ["a", "b", "www.example.org"]
        var (hits, next): ([Placed], [Partition: Int64]) = ([], [:])
        var clock: Int64 = 0
        for _ in 0..<1000 {
            clock += Int64.random(in: 0...16_000, using: &random)
            // Most come in order; some are an hour behind, some more.
            let back =
                Int.random(in: 0..<10, using: &random) < 7
                ? Int64.random(in: 0...2000, using: &random) : Int64.random(in: 0...9_000_000, using: &random)
            let partition = Partition(Int.random(in: 0..<4, using: &random))
            let offset = next[partition, default: 0]
            next[partition] = offset + 1
            hits.append(
                hit(sites[Int.random(in: 0..<3, using: &random)], clock - back, in: partition, offset: offset))
        }
        let fold = try Fold.everyWay(windows, hits, seed: seed)

        var newest: [String: Int64] = [:]
        let judged = hits.map { source, record -> (site: String, second: Int64, late: Bool) in
            let (site, second) = (record.key.text, record.timestamp.second)
            let mark = newest["\(site) \(source)"]
            newest["\(site) \(source)"] = max(mark ?? second, second)
            return (site, second, second < (mark ?? second) - 3600)
        }
        #expect(judged.contains { $0.late } && judged.contains { !$0.late })
        for _ in 0..<300 {
            let site = (sites + [nil])[Int.random(in: 0..<4, using: &random)]
            let window =
                [60, 300, 3600, Int64.random(in: 1...3600, using: &random)].randomElement(using: &random) ?? 60
            let at = Int64.random(in: -3600...clock / 1000 + 3600, using: &random)
            let end = after(at).second
            let within = judged.filter {
                (site == nil || $0.site == site) && $0.second <= end && $0.second > end - window
            }
            let late = within.filter(\.late).count
            #expect(
                try count(fold, site, window, at: at) == [Value(within.count - late), Value(late)],
                "\(site ?? "*"), \(window) s at \(at), seed \(seed)")
            var values: [String: Value] = ["at": Value(after(at)), "window": .integer(window * 1000)]
            if let site { values["site"] = .text(site) }
            let each = try fold.ask(.hits, "hits.seconds", values, limit: Limits.pageRows).rows
            let sums = [1, 2].map { column in each.reduce(0) { $0 + ($1[column].integer ?? 0) } }
            #expect(sums == [Int64(within.count - late), Int64(late)] && each.count == Set(within.map(\.second)).count)
        }
    }
}
