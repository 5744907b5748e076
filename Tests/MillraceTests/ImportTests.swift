import Foundation
import TestSupport
import Testing

@Suite("Importing access logs", .serialized, .timeLimit(.minutes(10)), .enabled(if: Weblogs.areHere, Weblogs.absent))
struct ImportTests {
    private func tally(_ ended: Ended, at place: SourceLocation = #_sourceLocation) throws -> [Int] {
        try #require(ended.exit == 0, "\(ended)", sourceLocation: place)
        let summary = try JSON(ended.out)
        return ["lines", "imported", "alreadyImported", "bad"].map { summary[$0].int }
    }

    @Test func `the Apache sample counts as awk counts it, and again changes nothing`() async throws {
        try await onBus { bus in
            let file = try await Weblogs.apache(bus)
            _ = try await bus.work("projector")
            let first = try await bus.run("import", "access-log", file, "--site", "www.example.org")
            #expect(try tally(first) == [10_000, 10_000, 0, 0])
            #expect(first.err == "")
            #expect(
                try JSON(first.out)["from"] == "2015-05-17T10:05:00Z" && JSON(first.out)["to"] == "2015-05-20T21:05:59Z"
            )
            try await bus.settle()
            // 2015-05-17T10:05:00Z, and hours after it; all of its times are at five past.
            let start = 1_431_857_100
            let windows = zip([0, 3, 7, 12, 20, 33, 41, 57, 70, 82], [5, 59, 30, 17, 45, 0, 59, 21, 40, 8]).map {
                hour, second in
                Weblogs.Window(at: start + hour * 3600 + second, length: [60, 300, 10, 3600, 1][hour % 5])
            }
            let expected = try await Weblogs.count(file, windows, bus)
            #expect(expected.count == 10 && expected.reduce(0, +) > 300)
            let seen = try await Weblogs.query("www.example.org", windows, bus)
            #expect(zip(seen.hits, seen.late).map(+) == expected)
            #expect(try await Weblogs.query(nil, windows, bus).hits == seen.hits)

            let ends = try await bus.run("topics", "describe", "hits.events", "--json")
            let view = try Tables("\(bus.log)/views/hits.windows@1.sqlite")
            #expect(view.folded == 10_000)
            let again = try await bus.run("import", "access-log", file, "--site", "www.example.org")
            #expect(try tally(again) == [10_000, 0, 10_000, 0])
            let renamed = try await bus.sh("gzip -c \(file) > \(bus.folder)/access.log.1.gz")
            #expect(renamed.exit == 0)
            let packed = try await bus.run(
                "import", "access-log", "\(bus.folder)/access.log.1.gz", "--site", "www.example.org")
            #expect(try tally(packed) == [10_000, 0, 10_000, 0])
            try await bus.settle()
            #expect(try await bus.run("topics", "describe", "hits.events", "--json").out == ends.out)
            #expect(try Tables("\(bus.log)/views/hits.windows@1.sqlite") == view)
        }
    }

    @Test func `the NASA sample counts as awk counts it`() async throws {
        try await onBus { bus in
            let file = try await Weblogs.nasa(bus)
            _ = try await bus.work("hits.windows")
            #expect(
                try tally(try await bus.run("import", "access-log", file, "--on-error", "stop")) == [
                    9_999, 9_999, 0, 0,
                ])
            try await bus.settle()
            // From 1995-07-01T04:00:01Z on; the last in August.
            let windows = [0, 59, 300, 1000, 3600, 7200, 9999, 12_000, 13_183, 5000].enumerated().map { i, second in
                Weblogs.Window(at: 804_571_201 + second, length: [60, 300, 3600, 10, 900][i % 5])
            }
            let expected = try await Weblogs.count(file, windows, bus)
            #expect(expected.count == 10 && expected.allSatisfy { $0 > 0 })
            let seen = try await Weblogs.query("nasa", windows, bus)
            #expect(seen.hits == expected && seen.late.allSatisfy { $0 == 0 })
            let table = try await bus.sh(
                "awk -F'\\t' '$3 > 804571201 - 60 && $3 <= 804571260' \(bus.folder)/nasa.tsv | wc -l")
            #expect(
                try await Weblogs.query("nasa", [.init(at: 804_571_260, length: 60)], bus).hits == [
                    Int(table.lines[0].trimmingCharacters(in: .whitespaces))
                ])
        }
    }

    @Test func `a grown file adds what is new, and a line that was cut off is not lost`() async throws {
        try await onBus { bus in
            let whole = try await Weblogs.nasa(bus)
            let log = bus.folder + "/access.log"
            #expect(try await bus.sh("head -n 3000 \(whole) > \(log)").exit == 0)
            #expect(try tally(try await bus.run("import", "access-log", log)) == [3_000, 3_000, 0, 0])
            // The server is writing line 5001.
            #expect(
                try await bus.sh("head -n 5000 \(whole) > \(log); sed -n 5001p \(whole) | head -c 60 >> \(log)").exit
                    == 0)
            let torn = try tally(try await bus.run("import", "access-log", log))
            #expect(torn[1] == 2_000 && torn[2] == 3_000)
            let all = try await bus.sh("cp \(whole) \(log)")
            #expect(all.exit == 0)
            #expect(try tally(try await bus.run("import", "access-log", log)) == [9_999, 4_999, 5_000, 0])
            #expect(try await bus.count("hits.events") == 9_999)
            // The same file whose last line has no end is still the same.
            #expect(try await bus.sh("head -c -1 \(whole) > \(log)").exit == 0)
            #expect(try tally(try await bus.run("import", "access-log", log))[1] == 0)
            #expect(try await bus.count("hits.events") == 9_999)
        }
    }

    @Test func `a last line without an end is imported once, also when its end comes later`() async throws {
        try await onBus { bus in
            let line = #"h - - [01/Jul/1995:00:00:01 -0400] "GET / HTTP/1.0" 200 6245"#
            let file = try bus.file("access.log", "\(line)\n\(line)")
            #expect(try tally(try await bus.run("import", "access-log", file)) == [2, 2, 0, 0])
            #expect(try tally(try await bus.run("import", "access-log", file)) == [2, 0, 2, 0])
            _ = try bus.file("access.log", "\(line)\n\(line)\n\(line)\n")
            #expect(try tally(try await bus.run("import", "access-log", file)) == [3, 1, 2, 0])
            #expect(try await bus.count("hits.events") == 3)
        }
    }

    @Test func `an import killed in the middle goes on where it stopped`() async throws {
        try await onBus { bus in
            let file = bus.folder + "/long.log"
            let once = try await Weblogs.nasa(bus)
            #expect(try await bus.sh("cat \(once) \(once) \(once) > \(file)").exit == 0)
            let killed = try bus.start("import", "access-log", file)
            try await eventually("the first commit of the import") {
                try await bus.count("hits.events") > 0 ? true : nil
            }
            try await killed.crash()
            let before = try await bus.count("hits.events")
            #expect(before > 0 && before < 29_997)
            #expect(try tally(try await bus.run("import", "access-log", file)) == [29_997, 29_997 - before, before, 0])
            #expect(try await bus.count("hits.events") == 29_997)
        }
    }

    @Test func `two imports of one file at once do not double it`() async throws {
        try await onBus { bus in
            let file = try await Weblogs.nasa(bus)
            let both = try (0..<2).map { _ in try bus.start("import", "access-log", file) }
            var imported = 0
            for one in both { imported += try tally(try await one.end())[1] }
            #expect(imported == 9_999)
            #expect(try await bus.count("hits.events") == 9_999)
        }
    }
}
