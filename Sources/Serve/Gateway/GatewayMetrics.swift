internal import EventModel
internal import Handling
internal import MillraceBus
internal import Synchronization

/// What the gateway has done since it began, counted.
final class GatewayMetrics: Sendable {
    /// Upper bounds in seconds of the histogram's buckets.
    static let bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

    struct Request: Hashable, Sendable {
        var path: String
        var method: String
        var status: Int
    }
    struct Times: Sendable {
        var counts = [Int](repeating: 0, count: bounds.count + 1)
        var sum = 0.0
    }
    struct Decided: Hashable, Sendable {
        var command: String
        /// Empty where it was accepted.
        var reason: String
    }
    struct State: Sendable {
        var requests: [Request: Int] = [:]
        var times: [String: Times] = [:]
        var decided: [Decided: Int] = [:]
    }
    private let state = Mutex(State())
    /// Methods that are counted by name: a client may make up others.
    private static let methods: Set<String> = ["GET", "HEAD", "POST", "OPTIONS"]

    var now: State { state.withLock { $0 } }

    func note(_ path: String, _ method: String, _ status: Int, _ took: Duration) {
        let seconds = took / .seconds(1)
        let bucket = Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count
        let method = Self.methods.contains(method) ? method : "other"
        state.withLock { state in
            state.requests[Request(path: path, method: method, status: status), default: 0] += 1
            state.times[path, default: Times()].counts[bucket] += 1
            state.times[path, default: Times()].sum += seconds
        }
    }

    func note(_ outcome: Outcome, of command: String) {
        state.withLock { $0.decided[Decided(command: command, reason: outcome.reason), default: 0] += 1 }
    }
}

/// Writes metrics in the text format of Prometheus, version 0.0.4.
struct MetricText {
    private(set) var text = ""

    /// - Parameter samples: The labels of each, and its value.
    mutating func add(
        _ name: String, _ type: String, _ about: String, _ samples: [(labels: [(String, String)], value: String)]
    ) {
        if samples.isEmpty { return }
        begin(name, type, about)
        for sample in samples { line(name, sample.labels, sample.value) }
    }

    mutating func begin(_ name: String, _ type: String, _ about: String) {
        text += "# HELP \(name) \(about)\n# TYPE \(name) \(type)\n"
    }

    mutating func line(_ name: String, _ labels: [(String, String)], _ value: String) {
        let shown = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
        text += "\(name)\(shown.isEmpty ? "" : "{\(shown)}") \(value)\n"
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}

extension GatewayEnvironment {
    /// `GET /metrics`.
    func metrics(_ request: GatewayRequest) async throws -> Reply {
        try request.require(.operate, in: nil)
        try request.parameters.end("/metrics")
        let state = metrics.now
        var out = MetricText()
        out.add("millrace_info", "gauge", "The program's version.", [([("version", Version.number)], "1")])
        let requests = state.requests.sorted {
            ($0.key.path, $0.key.method, $0.key.status) < ($1.key.path, $1.key.method, $1.key.status)
        }
        out.add(
            "millrace_http_requests_total", "counter", "Requests that were answered.",
            requests.map { entry in
                let labels = [
                    ("path", entry.key.path), ("method", entry.key.method), ("status", String(entry.key.status)),
                ]
                return (labels, String(entry.value))
            })
        add(state.times, to: &out)
        out.add("millrace_http_streams", "gauge", "Topics that are being read.", [([], String(streams.count))])
        let decided = state.decided.sorted { ($0.key.command, $0.key.reason) < ($1.key.command, $1.key.reason) }
        out.add(
            "millrace_http_commands_total", "counter", "Commands sent here that were decided, by reason where refused.",
            decided.map { entry in
                let outcome = entry.key.reason.isEmpty ? "accepted" : "refused"
                return (
                    [("command", entry.key.command), ("outcome", outcome), ("reason", entry.key.reason)],
                    String(entry.value)
                )
            })
        // Without the log there is still what the gateway itself knows.
        if let seen = try? await workers.sample() { add(seen, to: &out) }
        return Reply(200, .metrics, .text(out.text))
    }

    private func add(_ times: [String: GatewayMetrics.Times], to out: inout MetricText) {
        let name = "millrace_http_request_seconds"
        if times.isEmpty { return }
        out.begin(name, "histogram", "How long requests took, streams to their end.")
        for (path, times) in times.sorted(by: { $0.key < $1.key }) {
            var sum = 0
            for (i, bound) in (GatewayMetrics.bounds.map { "\($0)" } + ["+Inf"]).enumerated() {
                sum += times.counts[i]
                out.line("\(name)_bucket", [("path", path), ("le", bound)], String(sum))
            }
            out.line("\(name)_sum", [("path", path)], String(times.sum))
            out.line("\(name)_count", [("path", path)], String(sum))
        }
    }

    private func add(_ workers: [WorkerSampler.Seen], to out: inout MetricText) {
        func add(_ name: String, _ about: String, _ value: (WorkerSampler.Seen) -> String?) {
            out.add(
                name, "gauge", about,
                workers.compactMap { seen in
                    value(seen).map { ([("worker", seen.worker.name), ("kind", seen.worker.kind)], $0) }
                })
        }
        add("millrace_worker_lag_records", "Records that a worker is behind.") { String($0.health.lag) }
        add("millrace_worker_oldest_seconds", "The age of the oldest record that a worker has not handled.") {
            String(Double($0.health.age?.milliseconds ?? 0) / 1000)
        }
        add("millrace_worker_healthy", "1 where a worker keeps up, else 0.") { $0.health.problem == nil ? "1" : "0" }
        add("millrace_worker_quarantined_records", "Records that wait in quarantine for a worker.") {
            String($0.waiting)
        }
    }
}
