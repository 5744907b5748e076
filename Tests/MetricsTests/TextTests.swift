import CoreMetrics
import Metering
import Testing

@testable import PrometheusExporter

@Suite("Metrics as text")
struct TextTests {
    private static let answered = Measure.counter("answered_total", "who", about: "Answers\nso far, as C:\\ has them.")
    private static let took = Measure.histogram("took_seconds", "who", about: "How long.", bounds: [0.001, 0.5, 2])

    @Test func `a counter, a gauge and a histogram are written to the letter`() async {
        let registry = PrometheusRegistry([Self.answered, Self.took])
        registry.collect { [MeasuredSample(Measures.logBytes, [], 1536)] }
        Self.answered.counter("ann", in: registry).increment(by: 3)
        Self.answered.counter("ann", in: registry).increment()
        let timer = Self.took.timer("ann", in: registry)
        for milliseconds in [1, 2, 500, 501, 2500] { timer.recordMilliseconds(milliseconds) }
        Meter(label: "open", dimensions: [], factory: registry).set(2.5)
        let expected = #"""
            # HELP answered_total Answers\nso far, as C:\\ has them.
            # TYPE answered_total counter
            answered_total{who="ann"} 4
            # HELP millrace_log_bytes Bytes of the local log's files.
            # TYPE millrace_log_bytes gauge
            millrace_log_bytes 1536
            # HELP millrace_metrics_overflows_total How often a series was asked for that its metric has no room for, and was counted as other.
            # TYPE millrace_metrics_overflows_total counter
            millrace_metrics_overflows_total 0
            # TYPE open gauge
            open 2.5
            # HELP took_seconds How long.
            # TYPE took_seconds histogram
            took_seconds_bucket{who="ann",le="0.001"} 1
            took_seconds_bucket{who="ann",le="0.5"} 3
            took_seconds_bucket{who="ann",le="2"} 4
            took_seconds_bucket{who="ann",le="+Inf"} 5
            took_seconds_sum{who="ann"} 3.504
            took_seconds_count{who="ann"} 5

            """#
        #expect(await registry.text() == expected)
    }

    @Test(arguments: [
        ("a\"b", #"a\"b"#), ("a\\", #"a\\"#), ("a\nb", #"a\nb"#), ("\\n\"\n", #"\\n\"\n"#), ("", ""), ("é 🦊", "é 🦊"),
        ("a\r\nb", "a\r\\nb"), ("}\" 1\nx", #"}\" 1\nx"#),
    ])
    func `a label's value says nothing but itself`(_ value: String, _ shown: String) async {
        let registry = PrometheusRegistry([Self.answered])
        Self.answered.counter(value, in: registry).increment()
        let text = await registry.text()
        #expect(text.contains("answered_total{who=\"\(shown)\"} 1\n"), "\(text)")
    }

    @Test func `a long value is cut, and values that are the same then are one series`() async {
        let registry = PrometheusRegistry([Self.answered])
        let long = String(repeating: "x", count: PrometheusRegistry.labelValueLimit)
        for end in ["", "1", "2"] { Self.answered.counter(long + end, in: registry).increment() }
        #expect(await registry.text().contains("answered_total{who=\"\(long)\"} 3\n"))
    }

    @Test func `names that Prometheus would refuse are made such as it takes`() async {
        let registry = PrometheusRegistry([])
        Counter(
            label: "http requests.über/1", dimensions: [("a-b", "1"), ("a_b", "2"), ("__own", "3"), ("9", "4")],
            factory: registry
        ).increment()
        Timer(label: "9lives", dimensions: [("le", "cat")], factory: registry).recordSeconds(1)
        let text = await registry.text()
        #expect(text.contains(#"http_requests__ber_1_total{a_b="1",label__own="3",_9="4"} 1"#), "\(text)")
        #expect(text.contains(#"_9lives_seconds_count{exported_le="cat"} 1"#), "\(text)")
        #expect(text.contains(#"_9lives_seconds_bucket{exported_le="cat",le="+Inf"} 1"#), "\(text)")
    }

    @Test func `numbers are those that Prometheus reads`() {
        let numbers: [(Double, String)] = [
            (0, "0"), (-0.0, "0"), (3, "3"), (-2, "-2"), (0.25, "0.25"), (1e-9, "1e-09"), (1e300, "1e+300"),
            (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (9_007_199_254_740_991, "9007199254740991"),
        ]
        for (number, text) in numbers { #expect(PrometheusText.number(number) == text) }
    }

    @Test func `a counter never goes back, and what is no number is not measured`() async {
        let registry = PrometheusRegistry([Self.answered, Self.took])
        let counter = Self.answered.counter("ann", in: registry)
        counter.increment(by: 5)
        counter.increment(by: -3)
        let sum = FloatingPointCounter(label: "sum", dimensions: [], factory: registry)
        for amount in [1.5, -1, .nan, .infinity] { sum.increment(by: amount) }
        let recorder = Recorder(label: "sizes", dimensions: [], aggregate: true, factory: registry)
        for value in [1, .nan, .infinity] { recorder.record(value) }
        let text = await registry.text()
        for line in [#"answered_total{who="ann"} 5"#, "sum_total 1.5", "sizes_sum 1", "sizes_count 1"] {
            #expect(text.contains("\(line)\n"), "\(text)")
        }
    }

    @Test func `a value at a bucket's bound is in that bucket, one above the last in the one without an end`() async {
        let registry = PrometheusRegistry([Self.took])
        let timer = Self.took.timer("ann", in: registry)
        timer.recordNanoseconds(1_000_000)
        timer.recordNanoseconds(1_000_001)
        timer.recordNanoseconds(.max)
        let text = await registry.text()
        #expect(text.contains(#"le="0.001"} 1"#) && text.contains(#"le="0.5"} 2"#), "\(text)")
        #expect(text.contains(#"le="2"} 2"#) && text.contains(#"le="+Inf"} 3"#), "\(text)")
    }
}
