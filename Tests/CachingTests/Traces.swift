import Foundation
import TestSupport
import Testing

@testable import Caching

/// Traces that nobody here made, and what others counted on them: ../shared/data/cache.
enum Traces {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("shared/data/cache").path
    static let isThere = FileManager.default.fileExists(atPath: folder + "/hit_ratios.csv")
    static let absent: Comment = "the traces, ../shared/data/cache, are not on this machine"

    struct Row: Sendable {
        var trace: String
        var capacity: Int
        var policy: String
        var hits: Int
        var by: String
    }

    static func rows() throws -> [Row] {
        try String(contentsOfFile: folder + "/hit_ratios.csv", encoding: .utf8)
            .split(whereSeparator: \.isNewline).dropFirst().map { line in
                let fields = line.split(separator: ",").map(String.init)
                return Row(
                    trace: fields[0], capacity: try #require(Int(fields[3])), policy: fields[4],
                    hits: try #require(Int(fields[5])), by: fields[7])
            }
    }

    /// What a build without optimization gets through in seconds: of long traces the least capacity only.
    static func affordable(_ rows: [Row]) -> [Row] {
        #if DEBUG
            let long = ["arc_OLTP.lis.gz": 1_000, "lirs_loop.trace.gz": 512]
            return rows.filter { row in long[row.trace].map { $0 == row.capacity } ?? true }
        #else
            return rows
        #endif
    }

    static func trace(_ name: String) throws -> Trace {
        let lines = try unpacked("\(folder)/\(name)").split(separator: UInt8(ascii: "\n"))
        var numbers: [UInt64] = []
        for line in lines {
            let fields = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r") }
            guard let first = fields.first, let start = UInt64(String(decoding: first, as: UTF8.self)) else { continue }
            let count = name.hasPrefix("arc_") ? UInt64(String(decoding: fields[1], as: UTF8.self)) ?? 1 : 1
            numbers += start..<start + count
        }
        return Trace(numbers)
    }
}
