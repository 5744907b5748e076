import CoreMetrics
import Metering
import Testing

@testable import PrometheusExporter

@Suite("A registry of metrics")
struct RegistryTests {
    private static let answered = Measure.counter("answered_total", "who", "why", about: "Answers.")

    @Test func `a metric has so many series, and what comes beyond counts as other`() async throws {
        let registry = PrometheusRegistry([Self.answered])
        let beyond = 50
        for i in 0..<PrometheusRegistry.seriesLimit + beyond {
            Self.answered.counter("user-\(i)", "x", in: registry).increment()
        }
        // Those that have a series keep it.
        Self.answered.counter("user-0", "x", in: registry).increment()
        let lines = await registry.text().split(separator: "\n").filter { $0.hasPrefix("answered_total{") }
        #expect(lines.count == PrometheusRegistry.seriesLimit)
        #expect(lines.contains(#"answered_total{who="user-0",why="x"} 2"#))
        #expect(lines.contains(#"answered_total{who="other",why="other"} \#(beyond + 1)"#), "\(lines.suffix(3))")
        #expect(await registry.text().contains("millrace_metrics_overflows_total \(beyond + 1)\n"))
    }

    @Test func `there are so many metrics, and what comes beyond does nothing`() async {
        let registry = PrometheusRegistry([])
        for i in 0..<PrometheusRegistry.familyLimit + 10 {
            Counter(label: "c\(i)", dimensions: [], factory: registry).increment()
        }
        let types = await registry.text().split(separator: "\n").filter { $0.hasPrefix("# TYPE c") }
        #expect(types.count == PrometheusRegistry.familyLimit)
    }

    @Test func `a sample that was asked for has so many series too`() async {
        let registry = PrometheusRegistry()
        registry.collect {
            (0..<PrometheusRegistry.seriesLimit + 5).map {
                MeasuredSample(Measures.workerLag, ["w\($0)", "handler"], 1)
            }
        }
        let lines = await registry.text().split(separator: "\n").filter { $0.hasPrefix("millrace_worker_lag_records{") }
        #expect(lines.count == PrometheusRegistry.seriesLimit)
    }

    @Test func `a name is of one kind, and a second kind of it does no harm`() async {
        let registry = PrometheusRegistry([])
        Timer(label: "took", dimensions: [], factory: registry).recordSeconds(1)
        Meter(label: "took_seconds", dimensions: [], factory: registry).set(7)
        Meter(label: "took_seconds_count", dimensions: [], factory: registry).set(8)
        Meter(label: "sizes_sum", dimensions: [], factory: registry).set(9)
        Recorder(label: "sizes", dimensions: [], aggregate: true, factory: registry).record(1)
        let text = await registry.text()
        #expect(text.contains("took_seconds_count 1\n") && !text.contains(" 7\n") && !text.contains(" 8\n"), "\(text)")
        #expect(text.contains("sizes_sum 9\n") && !text.contains("sizes_bucket"), "\(text)")
    }

    @Test func `a gauge that is given up is shown no more, a counter stays`() async {
        let registry = PrometheusRegistry([])
        let (counter, meter) = (
            Counter(label: "c", dimensions: [], factory: registry), Meter(label: "m", dimensions: [], factory: registry)
        )
        counter.increment()
        meter.set(1)
        counter.destroy()
        meter.destroy()
        let text = await registry.text()
        #expect(text.contains("c_total 1\n") && !text.contains("m 1\n"), "\(text)")
    }

    @Test func `many tasks count without losing one`() async {
        let registry = PrometheusRegistry([Self.answered])
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for i in 0..<1000 { Self.answered.counter("\(i % 10)", "x", in: registry).increment() }
                }
            }
        }
        let lines = await registry.text().split(separator: "\n").filter { $0.hasPrefix("answered_total{") }
        #expect(lines.count == 10 && lines.allSatisfy { $0.hasSuffix(" 800") }, "\(lines)")
    }

    @Test func `every metric has a name, a unit and labels as Prometheus wants them`() {
        #expect(Set(Measures.all.map(\.name)).count == Measures.all.count)
        for measure in Measures.all {
            #expect(measure.name == PrometheusText.name(measure.name) && measure.name == measure.name.lowercased())
            #expect(measure.name.hasPrefix("millrace_") || measure.name.hasPrefix("process_"), "\(measure.name)")
            #expect((measure.kind == .counter) == measure.name.hasSuffix("_total"), "\(measure.name)")
            #expect(measure.kind != .histogram || measure.name.hasSuffix("_seconds"), "\(measure.name)")
            #expect(measure.bounds == measure.bounds.sorted() && Set(measure.bounds).count == measure.bounds.count)
            #expect(measure.about.hasSuffix("."), "\(measure.name)")
            for label in measure.labels { #expect(label == PrometheusText.labelName(label) && label != "le") }
        }
    }

    @Test func `commands are counted by what came of them once they are committed`() async {
        let registry = PrometheusRegistry()
        let metrics = WorkerMetrics("tickets.handler", kind: "handler", in: registry).commands
        var tally = CommandTally()
        for _ in 0..<3 { tally.accepted(0) }
        tally.refused(1, "seat-taken")
        tally.refused(1, "seat-taken")
        tally.refused(0, "no-section")
        tally.repeated(0)
        // One whose name nobody knows.
        tally.accepted(2)
        metrics.add(tally, names: ["HoldSeats", "BuySeats"])
        let text = await registry.text()
        for line in [
            #"millrace_commands_total{worker="tickets.handler",command="HoldSeats",outcome="accepted"} 3"#,
            #"millrace_commands_total{worker="tickets.handler",command="HoldSeats",outcome="refused"} 1"#,
            #"millrace_commands_total{worker="tickets.handler",command="HoldSeats",outcome="repeated"} 1"#,
            #"millrace_commands_total{worker="tickets.handler",command="BuySeats",outcome="refused"} 2"#,
            #"millrace_commands_total{worker="tickets.handler",command="other",outcome="accepted"} 1"#,
            #"millrace_refusals_total{worker="tickets.handler",command="BuySeats",reason="seat-taken"} 2"#,
            #"millrace_refusals_total{worker="tickets.handler",command="HoldSeats",reason="no-section"} 1"#,
        ] { #expect(text.contains("\(line)\n"), "\(line)\n\(text)") }
    }
}
