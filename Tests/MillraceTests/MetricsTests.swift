import Foundation
import Metering
import TestSupport
import Testing

@Suite("Metrics of a process", .serialized, .timeLimit(.minutes(10)))
struct MetricsTests {
    private static let handler: KeyValuePairs = ["worker": "orders.handler", "kind": "handler"]

    #if os(Linux)
        /// On a machine of many processors the time of its start is behind the first page of /proc/stat.
        @Test func `a file of the kernel is read beyond its first page`() throws {
            let maps = try #require(KernelFile.text("/proc/self/maps"))
            #expect(maps.utf8.count > 2 * Int(sysconf(Int32(_SC_PAGESIZE))), "\(maps.utf8.count)")
            #expect(maps.hasSuffix("\n"))
            #expect(KernelFile.text("/proc/no-such-file") == nil)
        }
    #endif

    private func check(_ metrics: Metrics, accepted: Int, refused: Int) {
        func commands(_ command: String, _ outcome: String) -> Double? {
            metrics[
                "millrace_commands_total", ["worker": "orders.handler", "command": command, "outcome": outcome]]
        }
        #expect(commands("PlaceOrder", "accepted") == Double(accepted), "\(metrics)")
        #expect(commands("AssignCourier", "refused") ?? 0 == Double(refused), "\(metrics)")
        let refusal = metrics[
            "millrace_refusals_total",
            ["worker": "orders.handler", "command": "AssignCourier", "reason": "unknown-order"]]
        #expect(refusal ?? 0 == Double(refused), "\(metrics)")
        #expect(metrics.sum("millrace_commands_total") == Double(accepted + refused), "\(metrics)")
        #expect(metrics["millrace_worker_records_total", Self.handler] == Double(accepted + refused))
        // An order that is placed is one event, and the notification of it one record of the reactor's.
        #expect(metrics["millrace_worker_written_records_total", Self.handler] == Double(accepted))
        let reactor: KeyValuePairs = ["worker": "orders.notify", "kind": "reactor"]
        #expect(metrics["millrace_worker_records_total", reactor] == Double(accepted))
        #expect(metrics["millrace_worker_written_records_total", reactor] == Double(accepted))
        let view: KeyValuePairs = ["worker": "orders.tracking", "kind": "projector"]
        #expect(metrics["millrace_worker_records_total", view] == Double(accepted))
        for worker in [Self.handler, reactor, view] {
            #expect(metrics["millrace_worker_lag_records", worker] == 0)
            #expect(metrics["millrace_worker_running", worker] == 1)
            let batches = metrics["millrace_worker_batch_seconds_count", worker] ?? 0
            #expect(batches >= 1 && batches <= Double(accepted + refused))
            #expect(metrics["millrace_worker_commit_seconds_sum", worker] ?? 0 > 0)
        }
    }

    @Test func `a hundred commands, seven of them refused, are counted as just that, also after a restart`()
        async throws
    {
        try await onBus { bus in
            let web = try await bus.web()
            try await bus.orders(0..<93, unknown: 7)
            try await bus.settle()
            check(try await web.metrics(), accepted: 93, refused: 7)
            // An id that was answered before is no new command.
            try await bus.orders(0..<1, unknown: 0)
            try await bus.settle()
            let again = try await web.metrics()
            let repeated = again[
                "millrace_commands_total",
                ["worker": "orders.handler", "command": "PlaceOrder", "outcome": "repeated"]]
            #expect(repeated == 1 && again.sum("millrace_commands_total") == 101, "\(again)")
            #expect(again["millrace_worker_written_records_total", Self.handler] == 93)
            #expect(try await web.stop().exit == 0)

            // What was handled before is not handled again.
            let next = try await bus.web()
            try await bus.orders(100..<110, unknown: 2)
            try await bus.settle()
            check(try await next.metrics(), accepted: 10, refused: 2)
        }
    }

    @Test func `what is sent over HTTP is counted by the gateway and by the handler alike`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            #expect(try await web.send("PlaceOrder", #"{"order":"o1","customer":"ann"}"#, id: "a").status == 200)
            #expect(try await web.send("AssignCourier", #"{"order":"o2","courier":"cy"}"#, id: "b").status == 409)
            _ = try await web.get("/nothing-here")
            let metrics = try await web.metrics()
            let sent = "millrace_http_commands_total"
            #expect(metrics[sent, ["command": "PlaceOrder", "outcome": "accepted", "reason": ""]] == 1)
            #expect(
                metrics[sent, ["command": "AssignCourier", "outcome": "refused", "reason": "unknown-order"]] == 1)
            let requests = "millrace_http_requests_total"
            #expect(metrics[requests, ["path": "/commands/{command}", "method": "POST", "status": "200"]] == 1)
            #expect(metrics[requests, ["path": "/commands/{command}", "method": "POST", "status": "409"]] == 1)
            #expect(metrics[requests, ["path": "none", "method": "GET", "status": "404"]] == 1)
            #expect(metrics["millrace_http_request_seconds_count", ["path": "/commands/{command}"]] == 2)
            #expect(metrics.sum("millrace_refusals_total", ["worker": "orders.handler"]) == 1)
        }
    }

    @Test func `work shows its own workers, on this machine alone`() async throws {
        try await onBus { bus in
            let worker = try bus.start("work", "orders.handler", "orders.tracking", "--metrics-port", "0")
            _ = try await bus.metrics(of: worker)
            try await bus.orders(0..<20, unknown: 3)
            try await eventually("the view to be up to date") {
                let metrics = try await bus.metrics(of: worker)
                let view: KeyValuePairs = ["worker": "orders.tracking", "kind": "projector"]
                return metrics["millrace_worker_records_total", view] == 20 ? true : nil
            }
            let metrics = try await bus.metrics(of: worker)
            #expect(metrics["millrace_worker_records_total", Self.handler] == 23)
            let shown = metrics.values.keys.filter { $0.name.hasPrefix("millrace_worker_") }
            #expect(Set(shown.compactMap { $0.labels["worker"] }) == ["orders.handler", "orders.tracking"])
            // All that went to the log went through this process but the commands, which send wrote.
            #expect(metrics.sum("millrace_log_appended_records_total") >= 20 + 23)
            #expect(metrics.sum("millrace_log_commit_seconds_count") >= 1)
            let size = try FileManager.default.attributesOfItem(atPath: "\(bus.log)/log.sqlite")[.size] as? Int ?? 0
            #expect(metrics.sum("millrace_log_bytes") >= Double(size) && size > 0)
            let free = metrics.sum("millrace_log_disk_free_bytes")
            #expect(free > 0 && free <= metrics.sum("millrace_log_disk_bytes"))
            let begun = metrics.sum("process_start_time_seconds")
            #expect(abs(begun - Date().timeIntervalSince1970) < 300, "\(begun)")
            #expect(metrics.sum("process_resident_memory_bytes") > 1_000_000)
            #expect(try await worker.stop().exit == 0)
        }
    }

    @Test func `a port that is taken is named, and what is no port is refused`() async throws {
        try await onBus { bus in
            let web = try await bus.web("serve")
            let taken = try await bus.run("work", "orders.handler", "--metrics-port", "\(web.port)")
            #expect(taken.exit == 69, "\(taken)")
            #expect(taken.err.contains("127.0.0.1:\(web.port) is taken") && taken.err.contains("--metrics-port"))
            for wrong in ["x", "70000", "-1", ":", "1.2.3.4:"] {
                let ended = try await bus.run("work", "orders.handler", "--metrics-port=\(wrong)")
                #expect(ended.exit == 64 && ended.err.contains("--metrics-port: "), "\(wrong): \(ended)")
            }
            for (words, name) in [(["up"], "MILLRACE_HTTP"), (["work", "orders.handler"], "MILLRACE_METRICS")] {
                let ended = try await bus.start(words, environment: [name: "foo"]).end()
                #expect(ended.exit == 64 && ended.err.contains("\(name): foo is no"), "\(ended)")
            }
            let set = try bus.start(
                ["work", "orders.handler"], environment: ["MILLRACE_METRICS": "127.0.0.1:0"])
            _ = try await bus.metrics(of: set)
        }
    }

    @Test func `what waits in quarantine, and workers that died, are seen`() async throws {
        try await onBus { bus in
            let worker = try bus.start("work", "hits", "--metrics-port", "0")
            _ = try await bus.metrics(of: worker)
            try await bus.run("produce", "Hit", stdin: #"{"site":"home"}"#)
            try await eventually("hits to be handled") {
                let metrics = try await bus.metrics(of: worker)
                return metrics.sum("millrace_worker_records_total") >= 1 ? true : nil
            }
            try await worker.crash()
            try await bus.run("produce", "Hit", stdin: #"{"site":"home"}"#)
            let next = try bus.start("work", "hits", "--metrics-port", "0")
            try await eventually("the next worker to take over") {
                let metrics = try await bus.metrics(of: next)
                return metrics.sum("millrace_worker_records_total") >= 1 ? true : nil
            }
            let metrics = try await bus.metrics(of: next)
            #expect(metrics.sum("millrace_worker_quarantined_keys") == 0)
            #expect(metrics.sum("millrace_worker_parked_records_total") == 0)
            #expect(metrics.names.contains("millrace_worker_crashed_partitions_total"))
        }
    }
}

@Suite("The page of metrics", .timeLimit(.minutes(10)))
struct MetricsPageTests {
    /// A row of the page: name, kind, labels.
    private struct Row: Hashable {
        var name, kind: String
        var labels: [String]
    }

    private static func rows(_ heading: String? = nil) throws -> [Row] {
        let page = try String(contentsOfFile: Bus.package + "/docs/operations/metrics.md", encoding: .utf8)
        var section = ""
        return page.split(separator: "\n").compactMap { line in
            if line.hasPrefix("## ") { section = String(line.dropFirst(3)) }
            guard heading == nil || section == heading,
                let match = line.wholeMatch(of: /\| `([a-z_]+)` \| (\w+) \| ([^|]*)\| (.+) \|/)
            else { return nil }
            let labels = match.3.matches(of: /`(\w+)`/).map { String($0.1) }
            return Row(name: String(match.1), kind: String(match.2), labels: labels)
        }
    }

    @Test func `has every metric that there is, with its kind and labels, and no other`() throws {
        let rows = try Self.rows()
        let declared = Measures.all.map { Row(name: $0.name, kind: $0.kind.rawValue, labels: $0.labels) }
        #expect(Set(rows).subtracting(declared).isEmpty && Set(declared).subtracting(rows).isEmpty, "\(rows)")
        #expect(rows.count == declared.count)
        let page = try String(contentsOfFile: Bus.package + "/docs/operations/metrics.md", encoding: .utf8)
        for bounds in [Measures.seconds, Measures.requestSeconds] {
            let shown = bounds.map { $0 == $0.rounded() ? "\(Int($0))" : "\($0)" }.joined(separator: ", ")
            #expect(page.contains(shown), "\(shown)")
        }
    }

    @Test func `has what a real run shows, and a run on this machine shows all but Kafka's`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            try await bus.orders(0..<5, unknown: 2)
            _ = try await web.send("PlaceOrder", #"{"order":"web","customer":"ann"}"#)
            // A path of a domain's own that produces something.
            _ = try await web.ask("POST", "/links", #"{"url":"https://example.com/","owner":"ann","alias":"talk"}"#)
            _ = try await web.get("/l/talk")
            try await eventually("the click") { try await bus.count("links.clicks") == 1 ? true : nil }
            try await bus.settle()
            let metrics = try await web.metrics()
            let rows = try Self.rows()
            let kafka = Set(try Self.rows("Kafka").map(\.name))
            #expect(kafka.count > 5)
            #expect(metrics.names == Set(rows.map(\.name)).subtracting(kafka))
            #expect(metrics.helped == metrics.names)
            for row in rows where !kafka.contains(row.name) {
                #expect(metrics.kinds[row.name] == row.kind, "\(row.name)")
                #expect(metrics.labels(of: row.name) == Set(row.labels), "\(row.name)")
            }
        }
    }
}
