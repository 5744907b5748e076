import Foundation
import TestSupport
import Testing

/// Access logs that nobody here wrote, and a count of their lines by awk.
enum Weblogs {
    static let folder = URL(fileURLWithPath: Bus.package).deletingLastPathComponent()
        .appendingPathComponent("shared/data/weblogs").path
    static let areHere = FileManager.default.fileExists(atPath: folder)
    static let absent: Comment = "the sample access logs, ../shared/data/weblogs, are not on this machine"

    /// Unpacks the Apache sample: combined format, 10,000 lines, one of which is cut off.
    static func apache(_ bus: Bus) async throws -> String {
        let path = bus.folder + "/apache.log"
        try #require(try await bus.sh("gzip -dc \(folder)/elastic_apache_logs_10k.log.gz > \(path)").exit == 0)
        return path
    }

    /// Writes the NASA sample's requests as lines of the common log format, in the time zone of their server.
    static func nasa(_ bus: Bus) async throws -> String {
        let table = bus.folder + "/nasa.tsv"
        try #require(try await bus.sh("gzip -dc \(folder)/nasa_http_19950701_9999.tsv.gz > \(table)").exit == 0)
        var log: [UInt8] = []
        let rows = try Data(contentsOf: URL(fileURLWithPath: table)).split(separator: 0x0a).dropFirst()
        for row in rows {
            // Latin-1: its bytes are kept as they are.
            let fields = row.split(separator: 0x09, omittingEmptySubsequences: false)
            let time = try #require(Int(String(decoding: fields[2], as: UTF8.self)))
            let size = fields[6].isEmpty ? Data("-".utf8) : fields[6]
            let parts: [Data] = [
                fields[0], Data(" - - [\(stamp(time - 4 * 3600)) -0400] \"".utf8), fields[3], Data(" ".utf8), fields[4],
                Data(" HTTP/1.0\" ".utf8), fields[5], Data(" ".utf8), size, Data("\n".utf8),
            ]
            for part in parts { log += part }
        }
        return try bus.file("nasa.log", log)
    }

    private static func stamp(_ seconds: Int) -> String {
        var (time, parts) = (time_t(seconds), tm())
        gmtime_r(&time, &parts)
        return String(unsafeUninitializedCapacity: 40) { buffer in
            buffer.withMemoryRebound(to: CChar.self) { strftime($0.baseAddress!, 40, "%d/%b/%Y:%H:%M:%S", &parts) }
        }
    }

    /// A moment and the seconds up to it, both in seconds.
    struct Window: Sendable {
        var at: Int
        var length: Int
    }

    /// How many lines of a log fall into each window, counted without any of our own code. Cut lines do not count.
    static func count(_ file: String, _ windows: [Window], _ bus: Bus) async throws -> [Int] {
        let script = """
            BEGIN {
                n = split(windows, w, " ")
                split("0 31 59 90 120 151 181 212 243 273 304 334", days, " ")
                for (i = split("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec", names, " "); i > 0; i--) month[names[i]] = i
                for (i = 1; i <= n; i++) { split(w[i], p, ":"); at[i] = p[1]; len[i] = p[2]; c[i] = 0 }
            }
            /["0-9-]$/ {
                split(substr($4, 2), t, /[\\/:]/); m = month[t[2]]
                d = 365 * (t[3] - 1970) + int((t[3] - 1969) / 4) + days[m] + (m > 2 && t[3] % 4 == 0) + t[1] - 1
                s = d * 86400 + t[4] * 3600 + t[5] * 60 + t[6]
                z = substr($5, 2, 2) * 3600 + substr($5, 4, 2) * 60
                s += substr($5, 1, 1) == "-" ? z : -z
                for (i = 1; i <= n; i++) if (s > at[i] - len[i] && s <= at[i]) c[i]++
            }
            END { for (i = 1; i <= n; i++) print c[i] }
            """
        let asked = windows.map { "\($0.at):\($0.length)" }.joined(separator: " ")
        let ended = try await bus.plain(["awk", "-v", "windows=\(asked)", script, file], program: "/usr/bin/env")
        try #require(ended.exit == 0, "\(ended)")
        return ended.lines.compactMap { Int($0) }
    }

    /// What the view says to the same, and how many of it came late.
    static func query(_ site: String?, _ windows: [Window], _ bus: Bus) async throws -> (hits: [Int], late: [Int]) {
        var (hits, late): ([Int], [Int]) = ([], [])
        for window in windows {
            let at = Date(timeIntervalSince1970: Double(window.at)).formatted(.iso8601)
            let asked =
                ["query", "hits.window", "--window", "\(window.length)s", "--at", at]
                + (site.map { ["--site", $0] } ?? [])
            let ended = try await bus.start(asked).end()
            try #require(ended.exit == 0, "\(ended)")
            let row = try JSON(ended.out)["rows"][0]
            #expect(row["window"].int == window.length && row["at"].string == at)
            hits.append(row["hits"].int)
            late.append(row["late"].int)
        }
        return (hits, late)
    }
}
