import EventModel
import Foundation
import Logging
import Testing
import Tracing

@testable import RecordTracing
@testable import TraceFile

@Suite("A file of spans")
struct FileTracerTests {
    private static let parent = TraceContext("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")!

    private func withFile(_ ratio: Double = 1, _ body: (TraceFile, FileTracer) throws -> Void) throws -> [Line] {
        let path = NSTemporaryDirectory() + "traces-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let file = try TraceFile(path, service: "test", version: "1", logger: Logger(label: "test"))
        try body(file, FileTracer(file, ratio: ratio))
        file.write()
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
            try JSONDecoder().decode(Line.self, from: Data($0.utf8))
        }
    }

    @Test func `has a span with its parent, times, attributes and status, as OpenTelemetry's JSON has it`() throws {
        var child: TraceContext?
        let lines = try withFile { _, tracer in
            let span = tracer.startSpan("decide", context: Self.parent.context(of: tracer), ofKind: .consumer)
            span.updateAttributes { attributes in
                attributes["text"] = "a \"quoted\" word"
                attributes["number"] = Int64(1 << 60)
                attributes["yes"] = true
            }
            span.setStatus(SpanStatus(code: .error, message: "no"))
            child = TraceContext(of: span, tracer)
            span.end()
            // Once is enough.
            span.end()
        }
        let spans = lines.flatMap(\.spans)
        let span = try #require(spans.first)
        #expect(spans.count == 1)
        #expect(lines[0].service == "test")
        #expect(span.traceId == Self.parent.traceID && span.parentSpanId == Self.parent.parentID)
        #expect(span.spanId == child?.parentID && span.spanId != Self.parent.parentID && span.spanId.count == 16)
        #expect(child?.traceID == Self.parent.traceID && child?.flags == 1)
        #expect(span.name == "decide" && span.kind == 5 && span.status?.code == 2 && span.status?.message == "no")
        #expect(try #require(UInt64(span.startTimeUnixNano)) <= #require(UInt64(span.endTimeUnixNano)))
        #expect(
            span.attributes == [
                .init(key: "number", value: ["intValue": .text("\(1 << 60)")]),
                .init(key: "text", value: ["stringValue": .text("a \"quoted\" word")]),
                .init(key: "yes", value: ["boolValue": .bool(true)]),
            ])
    }

    @Test func `leaves out what its parent does not record, and carries that on unchanged`() throws {
        let quiet = try #require(TraceContext("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"))
        let lines = try withFile { _, tracer in
            let span = tracer.startSpan("decide", context: quiet.context(of: tracer))
            #expect(!span.isRecording)
            #expect(TraceContext(of: span, tracer) == quiet)
            span.end()
        }
        #expect(lines.isEmpty)
    }

    @Test func `records the share of traces that begin here, the same ones in every process`() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed)
        let ids = (0..<4000).map { _ in
            String(random.next(), radix: 16) + String(repeating: "0", count: 16) + String(random.next(), radix: 16)
        }.map { String($0.suffix(32)) }
        let some = ids.filter { FileTracer.isSampled($0, 0.25) }
        #expect((800...1200).contains(some.count), "seed \(seed)")
        #expect(
            some.allSatisfy { FileTracer.isSampled($0, 0.5) } && some == ids.filter { FileTracer.isSampled($0, 0.25) })
        #expect(ids.allSatisfy { FileTracer.isSampled($0, 1) && !FileTracer.isSampled($0, 0) })
        let none = try withFile(0) { _, tracer in
            let span = tracer.startSpan("root", context: .topLevel)
            #expect(TraceContext(of: span, tracer)?.flags == 0)
            span.end()
        }
        #expect(none.isEmpty)
        let all = try withFile { _, tracer in tracer.startSpan("root", context: .topLevel).end() }
        #expect(all.flatMap(\.spans).map(\.parentSpanId) == [nil])
    }

    @Test func `drops the newest where they come faster than they are written`() throws {
        let lines = try withFile { _, tracer in
            for _ in 0..<TraceFile.capacity + 10 { tracer.startSpan("root", context: .topLevel).end() }
        }
        #expect(lines.flatMap(\.spans).count == TraceFile.capacity)
        #expect(lines.allSatisfy { $0.spans.count <= TraceFile.batch })
    }

    @Test func `that cannot be made says so`() {
        #expect(throws: (any Error).self) {
            try TraceFile("/nowhere/at/all", service: "test", version: "1", logger: Logger(label: "test"))
        }
    }

    @Test func `is named by a worker's spans, whose records' followers are their children`() throws {
        var followers: [TraceContext?] = []
        let lines = try withFile { _, tracer in
            var spans = RecordSpans(of: "orders.handler", tracer)
            let type = Header(HeaderName.type, "PlaceOrder")
            let traced = Record(offset: 7, timestamp: 0, key: "", value: "", headers: [type, Self.parent.header])
            let other = Record(offset: 8, timestamp: 0, key: "", value: "", headers: [type])
            followers = [traced, other].map { spans.begin($0, in: TopicPartition("orders.commands", 2)).trace }
            spans.tell(refused: "order-exists")
            spans.end()
        }
        let span = try #require(lines.flatMap(\.spans).first)
        #expect(lines.flatMap(\.spans).count == 1)
        #expect(span.name == "orders.handler PlaceOrder")
        #expect(followers == [TraceContext(Self.parent.traceID, span.spanId, flags: 1), nil])
        let members = Dictionary(uniqueKeysWithValues: span.attributes.map { ($0.key, $0.value.values.first) })
        #expect(members["messaging.destination.name"] == .text("orders.commands"))
        #expect(members["messaging.destination.partition.id"] == .text("2"))
        #expect(members["messaging.kafka.offset"] == .text("7"))
        #expect(members["millrace.refused"] == .text("order-exists"))
    }
}

/// A line of the file, as its readers have it.
private struct Line: Decodable {
    enum Scalar: Decodable, Equatable {
        case text(String), bool(Bool)
        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let bool = try? value.decode(Bool.self) {
                self = .bool(bool)
            } else {
                self = .text(try value.decode(String.self))
            }
        }
    }
    struct Attribute: Decodable, Equatable {
        var key: String
        var value: [String: Scalar]
    }
    struct Status: Decodable {
        var code: Int
        var message: String?
    }
    struct Span: Decodable {
        var traceId: String
        var spanId: String
        var parentSpanId: String?
        var name: String
        var kind: Int
        var startTimeUnixNano: String
        var endTimeUnixNano: String
        var attributes: [Attribute]
        var status: Status?
    }
    struct Scope: Decodable { var spans: [Span] }
    struct Resource: Decodable { var attributes: [Attribute] }
    struct Resources: Decodable {
        var resource: Resource
        var scopeSpans: [Scope]
    }
    var resourceSpans: [Resources]

    var spans: [Span] { resourceSpans.flatMap(\.scopeSpans).flatMap(\.spans) }
    var service: String? {
        if case .text(let name)? = resourceSpans.first?.resource.attributes.first?.value["stringValue"] {
            name
        } else {
            nil
        }
    }
}
