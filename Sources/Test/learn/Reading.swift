import Foundation

/// Files of the data sets, read whole.
enum Reading {
    /// The lines of a file that gzip has packed.
    static func lines(_ path: String) throws -> [Substring] { try text(path).split(whereSeparator: \.isNewline) }

    static func text(_ path: String) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-dc", path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Unreadable(path: path) }
        return String(decoding: data, as: UTF8.self)
    }

    struct Unreadable: Error, CustomStringConvertible {
        var path: String
        var description: String { "\(path) cannot be read; give the folder of the data sets with --data" }
    }

    /// Directed edges of users that are numbered in the order in which they come; each pair once.
    static func edges(_ path: String, mutual: Bool = false, header: Bool = false, kind: Substring? = nil) throws
        -> Edges
    {
        var edges = Edges(isMutual: mutual)
        var seen: Set<UInt64> = []
        var numbers: [Substring: Int32] = [:]
        func number(_ name: Substring) -> Int32 {
            if let number = numbers[name] { return number }
            let number = Int32(numbers.count)
            numbers[name] = number
            return number
        }
        for line in try lines(path).dropFirst(header ? 1 : 0) where line.first != "%" {
            let fields = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "," || $0 == "\r" })
            if let kind, fields.last != kind { continue }
            var (a, b) = (number(fields[0]), number(fields[1]))
            if a == b { continue }
            if mutual, a > b { (a, b) = (b, a) }
            if seen.insert(UInt64(a) << 32 | UInt64(b)).inserted { edges.pairs.append((a, b)) }
        }
        edges.users = numbers.count
        return edges
    }
}

/// A graph's edges; of mutual ones each pair once.
struct Edges {
    var isMutual: Bool
    var users = 0
    var pairs: [(Int32, Int32)] = []

    /// Both directions where they are mutual.
    static func directed(_ pairs: [(Int32, Int32)], mutual: Bool) -> [(Int32, Int32)] {
        mutual ? pairs.flatMap { [($0.0, $0.1), ($0.1, $0.0)] } : pairs
    }
}
