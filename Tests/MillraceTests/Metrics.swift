import Foundation
import TestSupport
import Testing

/// Metrics as Prometheus reads them, taken apart.
struct Metrics: CustomStringConvertible {
    struct Sample: Hashable {
        var name: String
        var labels: [String: String]
    }
    private(set) var values: [Sample: Double] = [:]
    /// The kind of each metric, by name.
    private(set) var kinds: [String: String] = [:]
    private(set) var helped: Set<String> = []
    let description: String

    /// - Throws: where a line is none that Prometheus takes.
    init(_ text: String) throws {
        description = text
        for line in text.split(separator: "\n") {
            if let match = line.wholeMatch(of: /# TYPE ([a-z_]+) (counter|gauge|histogram)/) {
                #expect(kinds[String(match.1)] == nil, "twice: \(line)")
                kinds[String(match.1)] = String(match.2)
                continue
            }
            if let match = line.wholeMatch(of: /# HELP ([a-z_]+) .+/) {
                helped.insert(String(match.1))
                continue
            }
            let match = try #require(
                line.wholeMatch(of: /([a-z_]+)(?:\{(.*)\})? ([-+0-9.e]+|\+Inf|NaN)/), "no line of metrics: \(line)")
            var labels: [String: String] = [:]
            for pair in (match.2 ?? "").matches(of: /([a-z_]+)="((?:[^"\\]|\\.)*)"/) {
                labels[String(pair.1)] = String(pair.2)
            }
            let sample = Sample(name: String(match.1), labels: labels)
            #expect(values[sample] == nil, "twice: \(line)")
            values[sample] = Double(match.3)
        }
    }

    subscript(name: String, labels: KeyValuePairs<String, String>) -> Double? {
        values[Sample(name: name, labels: Dictionary(uniqueKeysWithValues: labels.map { ($0.key, $0.value) }))]
    }

    /// The sum over all series that have these labels.
    func sum(_ name: String, _ labels: KeyValuePairs<String, String> = [:]) -> Double {
        values.filter { sample, _ in
            sample.name == name && labels.allSatisfy { sample.labels[$0.key] == $0.value }
        }.values.reduce(0, +)
    }

    /// The metrics' names: those of histograms without their lines' endings.
    var names: Set<String> { Set(kinds.keys) }

    /// Names of the labels that a metric's series have, but for a histogram's `le`.
    func labels(of name: String) -> Set<String> {
        let own = values.keys.filter { $0.name == name || $0.name == name + "_count" }
        return Set(own.flatMap { $0.labels.keys })
    }
}

extension Web {
    func metrics() async throws -> Metrics {
        let reply = try await get("/metrics")
        #expect(reply.status == 200 && reply.fields["content-type"]?.contains("version=0.0.4") == true, "\(reply)")
        return try Metrics(reply.body)
    }
}

extension Bus {
    /// The metrics of a process that says where they are.
    func metrics(of process: Running) async throws -> Metrics {
        let port = try await eventually("\(process.name) to show metrics: \(process.err)") {
            process.err.firstMatch(of: #/metrics at http://127\.0\.0\.1:(\d+)/metrics/#).flatMap { Int($0.1) }
        }
        return try await Web(bus: self, process: process, port: port).metrics()
    }

    /// Orders that are placed, and couriers sent to some that nobody placed.
    func orders(_ accepted: Range<Int>, unknown: Int) async throws {
        let placed = accepted.map { #"{"@command":"PlaceOrder","@id":"p\#($0)","order":"o\#($0)","customer":"ann"}"# }
        let refused = (0..<unknown).map {
            #"{"@command":"AssignCourier","@id":"u\#(accepted.lowerBound)-\#($0)","order":"none-\#($0)","courier":"cy"}"#
        }
        let file = try file("orders.ndjson", (placed + refused).joined(separator: "\n"))
        let ended = try await run("send", "--file", file, "--on-error", "skip", "--timeout", "40s")
        let outcomes = try ended.lines.map { try JSON($0)["outcome"].string }
        #expect(outcomes.count { $0 == "accepted" } == accepted.count, "\(ended)")
        #expect(outcomes.count { $0 == "refused" } == unknown, "\(ended)")
    }
}
