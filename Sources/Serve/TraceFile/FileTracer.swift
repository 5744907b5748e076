internal import EventModel
internal import Synchronization
package import Tracing

/// A tracer whose spans are written to a file: see ``TraceFile``.
///
/// A span is recorded where its parent is, by the flag of `traceparent`, or where it has no parent and its trace is among
/// those that are sampled. What is not recorded is carried on unchanged.
package struct FileTracer: Tracer {
    private let file: TraceFile
    /// From 0 to 1: of traces that begin here, how many are recorded.
    private let ratio: Double

    package init(_ file: TraceFile, ratio: Double) { (self.file, self.ratio) = (file, ratio) }

    package func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> FileSpan {
        var context = context()
        let parent = context.trace
        if let parent, parent.flags & 1 == 0 { return FileSpan(context, nil, operationName, kind, 0, file) }
        // The lowest 56 bits of an id are random by W3C's second level: all processes sample the same traces by them.
        let traceID = parent?.traceID ?? Self.digits(UInt64.random(in: .min ... .max)) + Self.digits(Self.nonZero())
        let isRecorded = parent != nil || Self.isSampled(traceID, ratio)
        guard let own = TraceContext(traceID, Self.digits(Self.nonZero()), flags: isRecorded ? 1 : 0) else {
            return FileSpan(context, nil, operationName, kind, 0, file)
        }
        context.trace = own
        return FileSpan(
            context, isRecorded ? (own, parent?.parentID) : nil, operationName, kind, instant().nanosecondsSinceEpoch,
            file)
    }

    package func forceFlush() { file.write() }

    static func isSampled(_ traceID: String, _ ratio: Double) -> Bool {
        let random = UInt64(traceID.suffix(14), radix: 16) ?? 0
        return Double(random) < ratio * Double(1 << 56 as UInt64)
    }

    private static func nonZero() -> UInt64 { .random(in: 1 ... .max) }
    private static func digits(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    package func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
    ) where Extract.Carrier == Carrier {
        context.trace = extractor.extract(key: HeaderName.trace, from: carrier).flatMap { TraceContext($0) }
    }

    package func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
    ) where Inject.Carrier == Carrier {
        if let trace = context.trace { injector.inject(trace.description, forKey: HeaderName.trace, into: &carrier) }
    }
}

/// A span of a ``FileTracer``.
package final class FileSpan: Span {
    package let context: ServiceContext
    /// Nil where it is not recorded.
    private let own: (trace: TraceContext, parentID: String?)?
    private let kind: SpanKind
    private let start: UInt64
    private let file: TraceFile
    private struct State {
        var name: String
        var attributes: SpanAttributes = [:]
        var status: SpanStatus?
        var isOver = false
    }
    private let state: Mutex<State>

    init(
        _ context: ServiceContext, _ own: (TraceContext, String?)?, _ name: String, _ kind: SpanKind, _ start: UInt64,
        _ file: TraceFile
    ) {
        (self.context, self.own, self.kind, self.start, self.file) = (context, own, kind, start, file)
        state = Mutex(State(name: name))
    }

    package var isRecording: Bool { own != nil && !state.withLock(\.isOver) }
    package var operationName: String {
        get { state.withLock(\.name) }
        set { state.withLock { $0.name = newValue } }
    }
    package var attributes: SpanAttributes {
        get { state.withLock(\.attributes) }
        set { state.withLock { $0.attributes = newValue } }
    }
    package func setStatus(_ status: SpanStatus) { state.withLock { $0.status = status } }
    /// What they say stands in attributes; a span's events and links are not written.
    package func addEvent(_ event: SpanEvent) {}
    package func addLink(_ link: SpanLink) {}
    package func recordError<Instant: TracerInstant>(
        _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
    ) {
        state.withLock { $0.attributes["exception.message"] = "\(error)" }
    }

    package func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        let ended = state.withLock { state -> State? in
            defer { state.isOver = true }
            return state.isOver ? nil : state
        }
        guard let ended, let own else { return }
        file.add(
            WrittenSpan(
                traceId: own.trace.traceID, spanId: own.trace.parentID, parentSpanId: own.parentID, name: ended.name,
                kind: WrittenSpan.number(of: kind), startTimeUnixNano: "\(start)",
                endTimeUnixNano: "\(instant().nanosecondsSinceEpoch)",
                attributes: WrittenSpan.members(ended.attributes),
                status: ended.status.map { WrittenSpan.Status($0) }))
    }
}

private enum TraceKey: InstrumentationContextKey {
    typealias Value = TraceContext
}

extension ServiceContext {
    fileprivate var trace: TraceContext? {
        get { self[TraceKey.self] }
        set { self[TraceKey.self] = newValue }
    }
}
