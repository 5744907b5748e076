internal import EventLog
internal import EventModel
internal import Foundation
internal import HitsDomain
internal import LocalLog
internal import TestSupport

/// Files of others, imported by the program as a user would.
extension Bench {
    private struct Source {
        var name: String
        /// The command, before the file.
        var command: [String]
        var file: String
        var lines: Int
        var text: String
    }

    /// Lines that differ, as real ones do.
    private func sources() -> [Source] {
        let log = (0..<300_000).map { i in
            let clock = String(format: "%02d:%02d:%02d", i / 36_000, i / 600 % 60, i / 10 % 60)
            return
                #"10.0.\#(i % 251).\#(i % 199) - - [17/May/2015:\#(clock) +0000] "GET /page/\#(i % 300)?q=\#(i) HTTP/1.1" "#
                + #"200 \#(i % 9000) "http://example.org/\#(i % 50)" "Mozilla/5.0 (X11; Linux x86_64; rv:\#(i % 90))""#
        }
        let positions = (0..<300_000).map { i in
            "taxi-\(i % 500),\(1_224_741_185 + i / 100),\(37 + Double(i % 7919) / 10_000),\(-122 - Double(i % 6007) / 10_000)"
        }
        let tweets = (0..<50_000).map { i in
            #"{"id":\#(400_000_000_000_000_000 + i),"t":\#(1_400_000_000 + i),"s":\#(i % 900),"#
                + #""text":"Today's number is \#(i) #tag\#(i % 70) @u\#(i % 90) http://example.org/\#(i)"}"#
        }
        func source(_ name: String, _ command: [String], _ file: String, _ lines: [String], header: String = "")
            -> Source
        {
            Source(
                name: name, command: ["import"] + command, file: file, lines: lines.count,
                text: header + lines.joined(separator: "\n") + "\n")
        }
        return [
            source("access-log", ["access-log", "--site", "www"], "access.log", log),
            source("gps", ["gps"], "positions.csv", positions, header: "driver,ts,lat,lon\n"),
            source("tweets", ["tweets"], "tweets.ndjson", tweets),
        ]
    }

    func importRows() async throws -> [Row] {
        var rows: [Row] = []
        for source in sources() {
            let file = "\(folder)/\(source.file)"
            try source.text.write(toFile: file, atomically: true, encoding: .utf8)
            defer { remove(file) }
            var (rates, appends): ([Double], [Double]) = ([], [])
            for _ in 0..<rounds {
                let place = try fresh("import")
                defer { remove(place) }
                var watch = Stopwatch()
                try await run(source.command + [file], on: place)
                rates.append(Double(source.lines) / watch.othersProcessor)
                let hits = try Hits(source.lines)
                let beside = try fresh("appends")
                defer { remove(beside) }
                let log = try await LocalLog.open(directory: beside)
                try await log.create(Domain.hits.topics)
                watch = Stopwatch()
                try await log.fill("hits.events", source.lines, record: hits.record)
                appends.append(Double(source.lines) / watch.ownProcessor)
                await log.close()
            }
            rows.append(
                Row("import \(source.name), a core: lines of a file to committed events", .perSecond, rates)
                    .held(against: "appending as many hits", appends))
        }
        return rows
    }
}
