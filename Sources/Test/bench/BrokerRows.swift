internal import EventLog
internal import EventModel
internal import Foundation
internal import HitsDomain
internal import Kafka
internal import KafkaLog
internal import Projecting
internal import SQLiteViews
internal import TestSupport

extension Bench {
    private static let messages = 1_000_000

    func brokerRows() async throws -> [Row] {
        guard let broker else {
            Bench.progress("broker: skipped, MILLRACE_TEST_KAFKA=host:port names none")
            return []
        }
        var rows = try await moduleRows(broker)
        let log = try await KafkaLog(brokers: broker)
        let hits = Domain.hits.projections[0]
        try await log.create(Domain.hits.topics)
        let count = min(events, 2_000_000)
        try await log.fill("hits.events", count, record: try Hits(count).record)
        let all = try await log.bounds(of: log.partitions(of: hits.topics)).values.reduce(0) {
            $0 + Int($1.upperBound - $1.lowerBound)
        }
        var (cores, walls): ([Double], [Double]) = ([], [])
        var peers: [String: [Double]] = [:]
        for round in 0..<rounds {
            let views = try SQLiteViews(directory: try fresh("broker-views-\(round)"))
            let done = try await project(hits, log, views: views)
            await views.close()
            cores.append(Double(all) / done.processor)
            walls.append(Double(all) / done.seconds)
            for (name, rate) in try await pythons(broker, "hits.events", all) { peers[name, default: []].append(rate) }
        }
        rows.append(Row("project hits from the broker, a core", .perSecond, cores, .atLeast(400_000)))
        let clock = Row("  by the clock", .perSecond, walls)
        if peers.isEmpty { rows.append(clock) }
        for (name, rates) in peers.sorted(by: { $0.key < $1.key }) {
            var row = clock.held(against: name, rates)
            if name.hasPrefix("quixstreams") { row.goals = [.timesAtLeast(10)] }
            rows.append(row)
        }
        let views = try SQLiteViews(directory: try fresh("broker-latency"))
        rows += try await latencies(on: log, views, goals: (20, 50), "a broker")
        await views.close()
        await log.close()
        return rows
    }

    /// What the module and kcat, which both drive librdkafka, make of the same messages.
    private func moduleRows(_ broker: String) async throws -> [Row] {
        let kcat = ["/usr/bin/kcat", "/usr/local/bin/kcat", "/opt/homebrew/bin/kcat"].first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
        if kcat == nil { Bench.progress("broker: no kcat is on this machine (Debian: kcat)") }
        let file = folder + "/messages"
        let value = String(repeating: "v", count: 88)
        let lines = (0..<Self.messages).map { String(format: "key-%08d:%@", $0 % 100_000, value) }
        try (lines.joined(separator: "\n") + "\n").write(toFile: file, atomically: true, encoding: .utf8)
        let messages = (0..<Self.messages).map {
            OutgoingMessage(
                key: Array(String(format: "key-%08d", $0 % 100_000).utf8)[...], value: Array(value.utf8)[...])
        }
        let admin = try Admin(["bootstrap.servers": broker])
        var figures: [String: [Double]] = [:]
        for _ in 0..<rounds {
            let topics = [Self.name(), Self.name()]
            _ = try await admin.create(topics.map { NewTopic($0, partitions: 4) })
            try await eventually("the topics to be there") {
                let there = try await admin.topics().filter(\.isReady).map(\.name)
                return topics.allSatisfy(there.contains) ? true : nil
            }
            for (name, value) in try await produce(messages, broker, topics[0]) {
                figures[name, default: []].append(value)
            }
            if let kcat {
                let settings = ["-b", broker, "-X", "acks=all", "-X", "enable.idempotence=true"]
                let watch = Stopwatch()
                try await Self.end(kcat, ["-P", "-t", topics[1], "-K", ":", "-l"] + settings + [file], folder)
                figures["kcat produces", default: []].append(Double(Self.messages) / watch.seconds)
                figures["kcat produces, CPU", default: []].append(watch.othersProcessor * 1e6 / Double(Self.messages))
            }
            for (name, value) in try await consume(broker, topics[0]) { figures[name, default: []].append(value) }
            if let kcat {
                let watch = Stopwatch()
                let ended = try await Self.end(
                    kcat, ["-C", "-b", broker, "-t", topics[0], "-o", "beginning", "-e", "-q", "-f", "\n"], folder)
                if ended.out.utf8.count != Self.messages {
                    throw Overdue(description: "kcat read \(ended.out.utf8.count)")
                }
                figures["kcat consumes", default: []].append(Double(Self.messages) / watch.seconds)
                figures["kcat consumes, CPU", default: []].append(watch.othersProcessor * 1e6 / Double(Self.messages))
            }
            _ = try await admin.delete(topics)
        }
        await admin.close()
        return ["produces", "consumes"].flatMap { act in
            [
                Row(
                    "the Kafka module \(act) 100 B, acks=all", .perSecond, figures["module \(act)"] ?? [],
                    .timesAtLeast(1)
                )
                .held(against: "kcat", figures["kcat \(act)"] ?? []),
                Row("  processor a message", .microseconds, figures["module \(act), CPU"] ?? [], .timesAtMost(1))
                    .held(against: "kcat", figures["kcat \(act), CPU"] ?? []),
            ]
        }
    }

    private static func name() -> String { "bench-\(UUID().uuidString.prefix(8).lowercased())" }

    @discardableResult
    private static func end(_ program: String, _ arguments: [String], _ folder: String) async throws -> Ended {
        let ended = try await Running(program, arguments, cwd: folder, scratch: folder).end(within: .seconds(300))
        if ended.exit != 0 { throw Overdue(description: "\(program): \(ended)") }
        return ended
    }

    private func produce(
        _ messages: [OutgoingMessage], _ broker: String, _ topic: String
    ) async throws -> [String: Double] {
        let producer = try Producer(.producer(["bootstrap.servers": broker, "acks": "all"]))
        let watch = Stopwatch()
        // A few batches are under way at any time.
        try await withThrowingTaskGroup(of: Void.self) { group in
            var open = 0
            for first in stride(from: 0, to: messages.count, by: 10_000) {
                if open == 4 {
                    try await group.next()
                    open -= 1
                }
                let batch = Array(messages[first..<min(first + 10_000, messages.count)])
                group.addTask { _ = try await producer.produce([OutgoingBatch(topic: topic, batch)]) }
                open += 1
            }
            try await group.waitForAll()
        }
        let figures = [
            "module produces": Double(messages.count) / watch.seconds,
            "module produces, CPU": watch.ownProcessor * 1e6 / Double(messages.count),
        ]
        await producer.close()
        return figures
    }

    private func consume(_ broker: String, _ topic: String) async throws -> [String: Double] {
        let watch = Stopwatch()
        // kcat is not asked for headers either.
        let consumer = try Consumer(.consumer(["bootstrap.servers": broker, "group.id": topic]), headers: false)
        try await consumer.assign(
            Dictionary(uniqueKeysWithValues: (0..<4).map { (KafkaPartition(topic, Int32($0)), Int64(0)) }))
        var count = 0
        while count < Self.messages {
            for batch in try await consumer.poll(max: 20_000, wait: .seconds(10)).batches {
                count += batch.messages.count
            }
        }
        let figures = [
            "module consumes": Double(count) / watch.seconds,
            "module consumes, CPU": watch.ownProcessor * 1e6 / Double(count),
        ]
        await consumer.close()
        return figures
    }

    /// What Python's clients make of the same events, where Tools/peers has installed them.
    private func pythons(_ broker: String, _ topic: String, _ count: Int) async throws -> [String: Double] {
        let root = URL(fileURLWithPath: program).resolvingSymlinksInPath()
        var folder = root.deletingLastPathComponent()
        while folder.path != "/", !FileManager.default.fileExists(atPath: folder.path + "/Tools/peers.py") {
            folder = folder.deletingLastPathComponent()
        }
        let python = folder.path + "/.build/peers/bin/python"
        guard FileManager.default.isExecutableFile(atPath: python) else {
            Bench.progress("broker: no Python clients, for Tools/peers has not installed them")
            return [:]
        }
        var found: [String: Double] = [:]
        for (peer, most) in [
            ("confluent-kafka, only consuming", count), ("quixstreams, windows of a second", min(count, 200_000)),
        ] {
            let ended = try await Running(
                python,
                [folder.path + "/Tools/peers.py", String(peer.prefix { $0 != "," }), broker, topic, String(most)],
                cwd: self.folder, scratch: self.folder
            ).end(within: .seconds(300))
            guard ended.exit == 0, let rate = ended.lines.last.flatMap({ Double($0) }) else {
                Bench.progress("broker: \(peer): \(ended.err.suffix(300))")
                continue
            }
            found[peer] = rate
        }
        return found
    }
}
