package import EventLog
package import EventModel
package import Tracing

/// The spans of records that a worker has in hand: each begins when its record is handled, and ends when what came of it is
/// committed.
///
/// Only a record that says that it belongs to a trace has one. Without a tracer (`InstrumentationSystem.bootstrap`) there are
/// none, and a trace is carried on as it came.
package struct RecordSpans: Sendable {
    private let tracer: any Tracer
    private let worker: String
    private var spans: [any Span] = []

    /// Nil where this process has no tracer.
    package init?(of worker: String) {
        guard let tracer = Self.tracer else { return nil }
        self.init(of: worker, tracer)
    }

    package init(of worker: String, _ tracer: any Tracer) { (self.tracer, self.worker) = (tracer, worker) }

    /// What this process was given as its tracer.
    package static var tracer: (any Tracer)? {
        let tracer = InstrumentationSystem.tracer
        return tracer is NoOpTracer ? nil : tracer
    }

    /// Begins the span of a record, where it belongs to a trace.
    ///
    /// - Returns: the record as it is to be handled: what follows from it is a child of the span.
    package mutating func begin(_ record: Record, in source: TopicPartition) -> Record {
        guard let trace = record.trace else { return record }
        let type = record[header: HeaderName.type]
        let span = tracer.startSpan(
            type.map { "\(worker) \($0)" } ?? worker, context: trace.context(of: tracer), ofKind: .consumer)
        span.updateAttributes { attributes in
            attributes["messaging.system"] = "millrace"
            attributes["messaging.operation.name"] = worker
            attributes["messaging.destination.name"] = source.topic
            attributes["messaging.destination.partition.id"] = source.partition.description
            attributes["messaging.kafka.offset"] = Int64(record.offset.rawValue)
        }
        spans.append(span)
        guard let child = TraceContext(of: span, tracer) else { return record }
        var record = record
        record.headers.removeAll { $0.name == HeaderName.trace }
        record.headers.append(child.header)
        return record
    }

    /// Begins the spans of a batch of which nothing follows.
    package mutating func begin(_ batch: Batch) {
        for record in batch.records { _ = begin(record, in: batch.source) }
    }

    /// What came of the record whose span began last: refused is no error, but is told.
    package func tell(refused reason: String) {
        spans.last?.updateAttributes { $0["millrace.refused"] = reason }
    }

    /// Ends all, once what came of their records is committed.
    package mutating func end() {
        for span in spans { span.end() }
        spans = []
    }

    /// Ends all where it could not be committed: it will be handled again.
    package mutating func end(failing error: any Error) {
        for span in spans {
            span.recordError(error)
            span.setStatus(SpanStatus(code: .error, message: "\(error)"))
        }
        end()
    }
}

extension TraceContext {
    /// What this task does belongs to: nil where it belongs to no trace, or there is no tracer.
    package static var current: TraceContext? {
        guard let context = ServiceContext.current else { return nil }
        return TraceContext(context, InstrumentationSystem.instrument)
    }

    /// As the parent of spans of a tracer.
    package func context(of tracer: any Tracer) -> ServiceContext {
        var context = ServiceContext.topLevel
        tracer.extract(self, into: &context, using: HeaderExtractor())
        return context
    }

    /// As the parent of what follows from a span.
    package init?(of span: any Span, _ tracer: any Tracer) { self.init(span.context, tracer) }

    private init?(_ context: ServiceContext, _ instrument: any Instrument) {
        var carried: String?
        instrument.inject(context, into: &carried, using: HeaderInjector())
        guard let carried else { return nil }
        self.init(carried)
    }
}

/// Records carry W3C's `traceparent` alone: other keys of an instrument are left out.
private struct HeaderExtractor: Extractor {
    func extract(key: String, from carrier: TraceContext) -> String? {
        key == HeaderName.trace ? carrier.description : nil
    }
}

private struct HeaderInjector: Injector {
    func inject(_ value: String, forKey key: String, into carrier: inout String?) {
        if key == HeaderName.trace { carrier = value }
    }
}
