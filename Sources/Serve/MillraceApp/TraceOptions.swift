internal import ArgumentParser
internal import EventModel
internal import Foundation

/// Which trace commands belong to.
struct TraceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The trace that the commands belong to, as W3C's header has it (also TRACEPARENT).", valueName: "context"))
    var traceparent: String?

    /// What the environment says is some other program's: where it is malformed there is no trace.
    ///
    /// - Throws: ``Failure`` where the option is malformed.
    func context(
        _ environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> TraceContext? {
        guard let traceparent else { return environment["TRACEPARENT"].flatMap { TraceContext($0) } }
        guard let context = TraceContext(traceparent) else {
            throw Failure(
                .usage,
                "--traceparent \(traceparent) is not such as 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        }
        return context
    }
}
