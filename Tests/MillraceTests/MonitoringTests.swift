import Foundation
import Metering
import TestSupport
import Testing

@Suite("Alerts and dashboard", .timeLimit(.minutes(10)))
struct MonitoringTests {
    private static let folder = Bus.package + "/docs/monitoring"
    private static let promtool = "/usr/bin/promtool"
    private static let hasPromtool = FileManager.default.isExecutableFile(atPath: promtool)
    private static let hint: Comment = "promtool is not here: apt-get install prometheus"

    private static func text(_ file: String) throws -> String {
        try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
    }

    /// The expressions of the dashboard's panels, with what Grafana puts in its place filled in.
    private static func panels() throws -> [(title: String, expression: String)] {
        let dashboard = try JSON(text("dashboard.json"))
        return dashboard["panels"].array.flatMap { panel in
            panel["targets"].array.map { target in
                let text = target["expr"].string
                    .replacing("$__rate_interval", with: "5m").replacing(#/"\$\w+"/#, with: "\".*\"")
                return (panel["title"].string, text)
            }
        }
    }

    /// The expressions of the alerts, by name.
    private static func alerts() throws -> [String: String] {
        let rules = try text("alerts.yml").split(separator: "- alert: ").dropFirst()
        return try rules.reduce(into: [:]) { all, rule in
            let name = String(rule.prefix { $0 != "\n" })
            let match = try #require(rule.firstMatch(of: #/expr: (?:>\n)?([\s\S]+?)\n\s+(?:for|labels):/#), "\(name)")
            all[name] = String(match.1)
        }
    }

    /// What an expression names: metrics, and the labels that it chooses their series by.
    private static func metrics(in expression: String) -> [(name: String, labels: [String])] {
        expression.matches(of: #/\b((?:millrace|process)_[a-z_]+)(?:\{([^}]*)\})?/#).map { match in
            let name = String(match.1).replacing(#/_(?:bucket|sum|count)$/#, with: "")
            let labels = (match.2 ?? "").matches(of: #/(\w+)(?:=~|!=|!~|=)/#).map { String($0.1) }
            return (name, labels)
        }
    }

    private func check(_ what: String, _ expression: String) throws {
        let found = Self.metrics(in: expression)
        #expect(!found.isEmpty || expression.contains("up{"), "\(what): \(expression)")
        for (name, labels) in found {
            let measure = try #require(Measures.all.first { $0.name == name }, "\(what): there is no \(name)")
            // Prometheus puts these on each series itself.
            let known = Set(measure.labels + ["instance", "job", "le"])
            #expect(Set(labels).isSubset(of: known), "\(what): \(labels)")
        }
        let series = found.flatMap { name, _ in Measures.all.first { $0.name == name }?.labels ?? [] }
        for match in expression.matches(of: #/\b(?:by|on|without) \(([^)]*)\)/#) {
            let labels = match.1.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            let known = Set(series + ["instance", "job", "le"])
            #expect(Set(labels).isSubset(of: known), "\(what): \(labels)")
        }
    }

    @Test func `every panel and every alert asks for metrics and labels that there are`() throws {
        let panels = try Self.panels()
        #expect(panels.count > 30)
        for panel in panels { try check(panel.title, panel.expression) }
        let alerts = try Self.alerts()
        #expect(alerts.count > 10)
        for (name, expression) in alerts { try check(name, expression) }
    }

    @Test func `the dashboard shows most of what there is, and its panels do not lie over each other`() throws {
        let shown = Set(try Self.panels().flatMap { Self.metrics(in: $0.expression).map(\.name) })
        // How a worker keeps up is shown by its lag and age; the others are there for who looks closer.
        let left: Set = [
            "millrace_worker_healthy", "millrace_kafka_queue_bytes", "millrace_kafka_sent_bytes_total",
            "millrace_kafka_received_bytes_total", "millrace_metrics_overflows_total",
            "millrace_http_route_events_total", "millrace_http_route_waiting_events",
        ]
        #expect(Set(Measures.all.map(\.name)).subtracting(shown) == left)
        let dashboard = try JSON(Self.text("dashboard.json"))
        var taken: Set<[Int]> = []
        for panel in dashboard["panels"].array {
            let place = panel["gridPos"]
            for x in place["x"].int..<place["x"].int + place["w"].int {
                for y in place["y"].int..<place["y"].int + place["h"].int {
                    #expect(x < 24 && taken.insert([x, y]).inserted, "\(panel["title"])")
                }
            }
        }
        let ids = dashboard["panels"].array.map { $0["id"].int }
        #expect(Set(ids).count == ids.count)
    }

    @Test(.enabled(if: hasPromtool, hint))
    func `promtool takes the rules, and each alert does what its test says`() async throws {
        try await onBus { bus in
            let rules = try await bus.plain(["check", "rules", "\(Self.folder)/alerts.yml"], program: Self.promtool)
            #expect(rules.exit == 0, "\(rules)")
            let tested = try await bus.plain(
                ["test", "rules", "\(Self.folder)/alerts.test.yml"], program: Self.promtool)
            #expect(tested.exit == 0, "\(tested)")
        }
        // One that is never seen to say anything is not tested.
        let tests = try Self.text("alerts.test.yml")
        for name in try Self.alerts().keys {
            let said = try Regex(#"alertname: \#(name)\s+exp_alerts:\s+- exp_labels"#)
            #expect(tests.contains(said), "\(name)")
            #expect(tests.contains("alertname: \(name), exp_alerts: [] }"), "\(name)")
        }
    }

    @Test(.enabled(if: hasPromtool, hint))
    func `promtool takes the dashboard's expressions, and what a process shows`() async throws {
        try await onBus { bus in
            let rules = try Self.panels().enumerated().map { number, panel in
                "      - record: panel:\(number)\n        expr: >\n          \(panel.expression)\n"
            }
            let file = try bus.file(
                "panels.yml", "groups:\n  - name: panels\n    rules:\n\(rules.joined())")
            let checked = try await bus.plain(["check", "rules", file], program: Self.promtool)
            #expect(checked.exit == 0, "\(checked)")

            let web = try await bus.web()
            try await bus.orders(0..<3, unknown: 1)
            let text = try await web.get("/metrics").body
            let linted = try await bus.plain(["check", "metrics"], program: Self.promtool, stdin: Array(text.utf8))
            #expect(linted.exit == 0 && linted.err.isEmpty, "\(linted)")
        }
    }
}
