internal import ArgumentParser
internal import Caching
internal import EventLog
internal import EventModel
internal import Foundation
internal import MillraceBus

/// `millrace cache`.
struct CacheCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "cache", abstract: "Choose a cache's policy and size by what was asked for.",
            subcommands: [Replay.self])
    }

    /// `millrace cache replay`.
    struct Replay: AppCommand {
        /// Shares of the keys that are tried as capacities, where none are named.
        static let shares = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5]
        static let mostCapacities = 100
        static let mostCapacity = 1_000_000_000
        static let batch = 10_000
        /// How many capacities stand side by side in a table of 80 columns.
        static let across = 7

        static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "replay",
                abstract: "Replay a topic's keys or a trace file under every policy, and show the hit ratios.",
                paragraphs: """
                    A request is a record of the topic, in the order of the log, and its key what is
                    asked for; or a line of the file, plain or gzip, - for standard input. Each
                    request that misses is taken in, as the policy has it. OPT knows the future: no
                    policy can have more hits.

                    Formats of files, told by the first line or --format: numbers (a number a line,
                    other lines passed over: the LIRS traces), ranges (start, count and two more
                    numbers: the ARC traces), keys (a key a line, as it is).

                    --sample 0.01 looks at a hundredth of the keys, in caches of a hundredth of the
                    size: near enough for large traces, and a hundred times as fast. The curve of LRU
                    takes one pass, however many capacities there are.

                    Examples:
                      \(Program.name) cache replay orders.events --capacities 10,100,1k
                      \(Program.name) cache replay trace.gz --policy lru,wtinylfu --svg curves.svg
                      \(Program.name) cache replay hits.events --sample 0.01 --csv
                    """)
        }

        @Argument(help: "A topic, or a file: what has that path is one.", completion: .names)
        var source: String
        @Option(
            help: ArgumentHelp(
                "all, or of lru, fifo, random, lfu, lfu-aged, arc, s3fifo, sieve, wtinylfu, opt; commas between.",
                valueName: "policies"), completion: .list(["all"] + PolicyKind.allCases.map(\.rawValue)))
        var policy = "all"
        @Option(
            help: ArgumentHelp(
                "Entries, such as 500,1k,10k,1m (default: 1 to 50 percent of the keys).", valueName: "sizes"))
        var capacities: String?
        @Option(
            help: ArgumentHelp("numbers, ranges or keys, of a file.", valueName: "format"),
            completion: .list(TraceFormat.allCases.map(\.rawValue)))
        var format: String?
        @Option(help: ArgumentHelp("The share of the keys that is looked at, above 0 and up to 1.", valueName: "share"))
        var sample = 1.0
        @Option(help: ArgumentHelp("What the policies that draw draw from.", valueName: "n"))
        var seed: UInt64 = 1
        @Option(
            help: ArgumentHelp("Draw the curves into this file, too.", valueName: "file"), completion: .file())
        var svg: String?
        @OptionGroup var shape: OutputOptions
        @OptionGroup var places: LogAndViewOptions

        func validate() throws {
            _ = try Self.policies(policy)
            _ = try capacities.map(Self.sizes)
            if !(sample > 0 && sample <= 1) { throw ValidationError("--sample must be above 0 and at most 1") }
            if let format, TraceFormat(rawValue: format) == nil {
                throw ValidationError(
                    "--format is \(TraceFormat.allCases.map(\.rawValue).joined(separator: ", ")), not \(format)")
            }
        }

        func run(in app: Application) async throws {
            let reader = try await read(app)
            let trace = reader.trace
            guard !trace.keys.isEmpty else { throw Failure(.data, "\(source) has no requests") }
            let capacities = try capacities.map(Self.sizes) ?? Self.sizes(of: trace.distinct)
            let results = try replay(trace, capacities)
            if let svg {
                guard let chart = chart(results) else {
                    throw Failure(.usage, "--svg draws over capacities, and there is one; give more with --capacities")
                }
                do { try Data(chart.svg.utf8).write(to: URL(fileURLWithPath: svg)) } catch {
                    throw Failure(.cantCreate, "\(svg) cannot be written: \(error.localizedDescription)")
                }
            }
            try show(results, capacities, reader)
        }
    }
}

extension CacheCommand.Replay {
    static func policies(_ text: String) throws -> [PolicyKind] {
        if text == "all" { return PolicyKind.allCases }
        var kinds: [PolicyKind] = []
        for name in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let kind = PolicyKind(rawValue: name.lowercased()) else {
                let all = PolicyKind.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("there is no policy \(name); there are \(all)")
            }
            if !kinds.contains(kind) { kinds.append(kind) }
        }
        return kinds
    }

    /// 500, 1k, 1.5k or 2m each, in their order.
    static func sizes(_ text: String) throws -> [Int] {
        let sizes = try text.split(separator: ",", omittingEmptySubsequences: false).map { word -> Int in
            let unit =
                switch word.last {
                case "k", "K": 1e3;
                case "m", "M": 1e6;
                default: 1.0
                }
            let digits = unit == 1 ? word : word.dropLast()
            let isPlain = digits.allSatisfy { $0.isASCII && ($0.isNumber || $0 == ".") }
            guard isPlain, let number = Double(digits), case let size = number * unit, size == size.rounded(),
                size >= 1, size <= Double(mostCapacity)
            else {
                throw ValidationError(
                    "--capacities: \(word) is no number of entries from 1 to 1000m such as 500 or 10k")
            }
            return Int(size)
        }
        if sizes.count > mostCapacities { throw ValidationError("--capacities: at most \(mostCapacities) at once") }
        return Set(sizes).sorted()
    }

    static func sizes(of distinct: Int) -> [Int] {
        Set(shares.map { max(1, Int((Double(distinct) * $0).rounded())) }).sorted()
    }

    private func read(_ app: Application) async throws -> TraceReader {
        let isFile = source == "-" || source.contains("/") || FileManager.default.fileExists(atPath: source)
        if isFile { return try await TraceReader.file(source, format: format.flatMap(TraceFormat.init)) }
        if format != nil { throw Failure(.usage, "--format is for files, and \(source) is none") }
        var reader = TraceReader(.keys)
        var withoutKey = 0
        try await places.withLog(app) { log in
            let part = try await TopicReading([source], partition: nil, from: "start", to: "end", on: log)
            try await part.each(on: log, follows: false, batch: Self.batch, afterEachLook: { true }) { _, records in
                for record in records {
                    if record.key.isEmpty { withoutKey += 1 } else { try reader.take(key: record.key) }
                }
                return true
            }
        }
        if withoutKey > 0 {
            Output.complain("\(Program.name): \(withoutKey) records of \(source) have no key, and were left out")
        }
        return reader
    }

    private func replay(_ trace: Trace, _ capacities: [Int]) throws -> [ReplayResult] {
        let part = trace.sampled(sample)
        guard !part.keys.isEmpty else {
            throw Failure(.usage, "--sample \(sample) leaves none of \(trace.distinct) keys; give a larger one")
        }
        let curve = MissRatioCurve(lru: trace, sample: sample)
        return try Self.policies(policy).flatMap { kind in
            capacities.map { capacity in
                if kind == .lru {
                    let hits = Int((curve.hitRatio(at: capacity) * Double(trace.keys.count)).rounded())
                    return ReplayResult(policy: kind, capacity: capacity, requests: trace.keys.count, hits: hits)
                }
                let size = sample < 1 ? max(1, Int((Double(capacity) * sample).rounded())) : capacity
                let result = part.replay(kind, capacity: size, seed: seed)
                let hits = Int((result.hitRatio * Double(trace.keys.count)).rounded())
                return ReplayResult(
                    policy: kind, capacity: capacity, requests: trace.keys.count, hits: sample < 1 ? hits : result.hits)
            }
        }
    }

    private func chart(_ results: [ReplayResult]) -> HitRatioChart? {
        let marks: [PolicyKind: Character] = [
            .lru: "l", .fifo: "f", .random: "r", .lfu: "u", .lfuAged: "g", .arc: "a", .s3fifo: "3", .sieve: "s",
            .wtinylfu: "w", .opt: "*",
        ]
        var curves: [HitRatioChart.Curve] = []
        for result in results {
            if curves.last?.name != result.policy.title {
                curves.append(.init(name: result.policy.title, mark: marks[result.policy] ?? "?", points: []))
            }
            curves[curves.count - 1].points.append((result.capacity, result.hitRatio))
        }
        return HitRatioChart(curves)
    }

    private func show(_ results: [ReplayResult], _ capacities: [Int], _ reader: TraceReader) throws {
        guard shape.asTable else {
            let rows = results.map { result -> Members in
                [
                    ("policy", JSON.string(result.policy.rawValue)), ("capacity", String(result.capacity)),
                    ("requests", String(result.requests)), ("hits", String(result.hits)),
                    ("hitRatio", String(format: "%.6f", result.hitRatio)),
                ]
            }
            return try shape.showLines(rows, columns: ["policy", "capacity", "requests", "hits", "hitRatio"])
        }
        let trace = reader.trace
        var head = "\(source): \(trace.keys.count) requests for \(trace.distinct) keys"
        if sample < 1 { head += ", of which \(trace.sampled(sample).distinct) keys were looked at" }
        if reader.passedOver > 0 { head += ", \(reader.passedOver) lines passed over" }
        try Output.standard.line(head)
        let byPolicy = Dictionary(grouping: results, by: \.policy)
        for start in stride(from: 0, to: capacities.count, by: Self.across) {
            let those = Array(capacities[start..<min(capacities.count, start + Self.across)])
            let rows = try Self.policies(policy).map { kind in
                [kind.title]
                    + those.map { capacity in
                        byPolicy[kind]?.first { $0.capacity == capacity }
                            .map { String(format: "%.2f", $0.hitRatio * 100) } ?? "-"
                    }
            }
            let table = TextTable(
                header: ["hits in %"] + those.map { HitRatioChart.short(Double($0)) }, rows: rows,
                right: Set(1...those.count), whole: [0])
            try Output.standard.write("\n" + table.text)
        }
        if let chart = chart(results) {
            try Output.standard.write("\n" + chart.text(width: Terminal.width ?? 80))
        }
    }
}
