internal import Foundation
internal import TestSupport

/// `wrk`, which asks over connections that it keeps, each as soon as the last was answered.
struct Wrk {
    struct Result: Sendable {
        /// All answers, well or not.
        var answers: Int
        /// Answered well, a second.
        var rate: Double
        /// Milliseconds from a request to its answer.
        var p50: Double
        var p99: Double
        /// Answers that were no success, and requests that were not answered.
        var failures: Int
    }

    /// Nil where it is not on this machine.
    static let program = ["/usr/bin/wrk", "/usr/local/bin/wrk", "/opt/homebrew/bin/wrk"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    let bench: Bench
    var connections = 64
    var seconds = 5

    /// Asks the same again and again.
    func get(_ url: String) async throws -> Result { try await run(url, script: "") }

    /// Sends commands, each with an id and a key of its own.
    ///
    /// - Parameter tag: What ids and keys begin with.
    func placeOrders(_ url: String, tag: String) async throws -> Result {
        try await run(
            url,
            script: """
                local threads = 0
                function setup(thread) thread:set("number", threads); threads = threads + 1 end
                local sent = 0
                function request()
                  sent = sent + 1
                  local order = "\(tag)-" .. number .. "-" .. sent
                  return wrk.format("POST", "/commands/PlaceOrder",
                    {["Content-Type"] = "application/json", ["Idempotency-Key"] = order},
                    '{"order":"' .. order .. '","customer":"ann"}')
                end

                """)
    }

    /// Follows links as people do: the first code of a file as often as the next two, and so on (Zipf's law with exponent 1).
    ///
    /// - Parameter codes: A file of codes of six characters, one a line.
    func follow(_ url: String, codes: String) async throws -> Result {
        try await run(
            url,
            script: """
                local ffi = require("ffi")
                local threads = 0
                function setup(thread) threads = threads + 1 thread:set("seed", threads) end
                local begin, rest = "", ""
                function init(args)
                  math.randomseed(seed)
                  local file = io.open("\(codes)")
                  text = file:read("*a")
                  count = math.floor(#text / 7)
                  bytes = ffi.cast("const char *", text)
                  local whole = wrk.format("GET", "/l/CODE", {
                    ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
                    ["Referer"] = "https://news.example/today", ["Accept"] = "text/html"})
                  local at, to = whole:find("CODE", 1, true)
                  begin, rest = whole:sub(1, at - 1), whole:sub(to + 1)
                end
                function request()
                  local rank = math.min(math.floor(math.pow(count, math.random())), count)
                  return begin .. ffi.string(bytes + (rank - 1) * 7, 6) .. rest
                end

                """)
    }

    private func run(_ url: String, script: String) async throws -> Result {
        guard let program = Self.program else { throw Overdue(description: "there is no wrk") }
        let file = "\(bench.folder)/\(UUID().uuidString).lua"
        try (script + Self.told).write(toFile: file, atomically: true, encoding: .utf8)
        let ended = try await Running(
            program, ["-t2", "-c\(connections)", "-d\(seconds)s", "-s", file, url], cwd: bench.folder,
            scratch: bench.folder
        ).end(within: .seconds(seconds + 60))
        let fields = ended.lines.last?.split(separator: " ").compactMap { Double($0) } ?? []
        guard ended.exit == 0, fields.count == 5 else { throw Overdue(description: "wrk \(url): \(ended)") }
        return Result(
            answers: Int(fields[0]), rate: (fields[0] - fields[4]) / (fields[1] / 1e6), p50: fields[2] / 1000,
            p99: fields[3] / 1000,
            failures: Int(fields[4]))
    }

    private static let told = """
        function done(summary, latency, requests)
          local e = summary.errors
          io.write(string.format("\\n%d %d %d %d %d\\n", summary.requests, summary.duration, latency:percentile(50),
            latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
        end
        """
}
