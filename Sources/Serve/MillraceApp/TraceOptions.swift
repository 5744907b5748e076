internal import ArgumentParser
internal import EventModel
internal import Foundation
internal import Logging
internal import MillraceBus
internal import RecordTracing
internal import ServiceLifecycle
internal import TraceFile
internal import Tracing

/// Which trace commands belong to.
struct TraceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The trace that the commands belong to, as W3C's header has it (also TRACEPARENT).", valueName: "context"))
    var traceparent: String?

    /// What the environment says is some other program's: where it is malformed there is no trace.
    ///
    /// - Throws: ``Failure`` where the option is malformed.
    private func context(_ environment: [String: String]) throws -> TraceContext? {
        guard let traceparent else { return environment["TRACEPARENT"].flatMap { TraceContext($0) } }
        guard let context = TraceContext(traceparent) else {
            throw Failure(
                .usage,
                "--traceparent \(traceparent) is not such as 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        }
        return context
    }

    /// Does what belongs to a trace: to the one that is named, or where spans are written to a file to a new one.
    ///
    /// - Parameter body: Is given what the commands carry.
    func within<R>(
        _ name: String, _ file: TraceFileOptions,
        environment: [String: String] = ProcessInfo.processInfo.environment,
        _ body: (TraceContext?) async throws -> R
    ) async throws -> R {
        let parent = try context(environment)
        guard let written = try file.begin(Logger(label: Program.name), environment), let tracer = RecordSpans.tracer
        else {
            return try await body(parent)
        }
        defer { written.write() }
        let span = tracer.startSpan(name, context: parent?.context(of: tracer) ?? .topLevel, ofKind: .client)
        defer { span.end() }
        do {
            return try await body(TraceContext(of: span, tracer))
        } catch {
            span.recordError(error)
            span.setStatus(SpanStatus(code: .error, message: "\(error)"))
            throw error
        }
    }
}

/// Where a process writes spans.
struct TraceFileOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Write spans of traces to this file, for OpenTelemetry's collector to read (also MILLRACE_TRACES).",
            valueName: "file"), completion: .file())
    var traceFile: String?
    @Option(
        help: ArgumentHelp(
            "Of traces that begin here, how many are recorded, from 0 to 1 (default: 1).", valueName: "share"))
    var traceRatio: Double?

    func validate() throws {
        if let traceRatio, !(0...1).contains(traceRatio) {
            throw ValidationError("--trace-ratio must be from 0 to 1")
        }
    }

    /// The service that writes the file, where one is asked for. It is told to stop last: spans end with what others have in hand.
    func services(_ logger: Logger) throws -> [any Service] { try begin(logger).map { [$0] } ?? [] }

    /// Makes the file's tracer this process's; nil where none is asked for.
    ///
    /// - Throws: ``Failure`` where the file cannot be written.
    func begin(
        _ logger: Logger, _ environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> TraceFile? {
        guard let path = traceFile ?? environment["MILLRACE_TRACES"], !path.isEmpty else {
            if traceRatio != nil { throw Failure(.usage, "--trace-ratio goes with --trace-file") }
            return nil
        }
        let file: TraceFile
        do {
            file = try TraceFile(path, service: Program.name, version: Version.number, logger: logger)
        } catch {
            throw Failure(.configuration, "\(path) cannot be written for traces: \(error.localizedDescription)")
        }
        InstrumentationSystem.bootstrap(FileTracer(file, ratio: traceRatio ?? 1))
        return file
    }
}
