internal import EventModel
internal import Foundation
package import Logging
internal import ServiceLifecycle
internal import Synchronization

/// Writes spans to a file, as OpenTelemetry's file exporter does: each line is the JSON of a `TracesData`. Its collector reads
/// such files (`otlpjsonfilereceiver`), and so does whatever it sends them to.
///
/// Spans are handed over and written by the service, some at a time. Where they come faster than they are written, the newest
/// are dropped and counted, so that nobody waits for them.
package final class TraceFile: Service, CustomStringConvertible {
    /// Spans that wait to be written.
    package static let capacity = 20_000
    /// Spans of a line.
    static let batch = 500
    private static let pause = Duration.milliseconds(200)

    private struct State {
        var spans: [WrittenSpan] = []
        var dropped = 0
    }
    private let state = Mutex(State())
    private let handle: FileHandle
    private let path: String
    private let service: String
    private let version: String
    private let logger: Logger
    package var description: String { "traces" }

    /// - Parameters:
    ///   - path: A file that is made where it is not there, and added to where it is. Only its owner may read it.
    ///   - service: What the process is called.
    /// - Throws: Foundation's error where it cannot be written.
    package init(_ path: String, service: String, version: String, logger: Logger) throws {
        (self.path, self.service, self.version, self.logger) = (path, service, version, logger)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        if descriptor < 0 { throw NSError(domain: NSPOSIXErrorDomain, code: Int(errno)) }
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    func add(_ span: WrittenSpan) {
        state.withLock { state in
            if state.spans.count < Self.capacity { state.spans.append(span) } else { state.dropped += 1 }
        }
    }

    package func run() async throws {
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            write()
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.pause) }
        }
        write()
    }

    /// Writes what waits.
    package func write() {
        let (spans, dropped) = state.withLock { state in
            defer { state = State() }
            return (state.spans, state.dropped)
        }
        if dropped > 0 { logger.warning("spans are dropped", metadata: ["spans": "\(dropped)", "file": "\(path)"]) }
        var rest = spans[...]
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        while !rest.isEmpty {
            do {
                let line = WrittenLine(Array(rest.prefix(Self.batch)), of: service, version: version)
                try handle.write(contentsOf: encoder.encode(line) + Data("\n".utf8))
            } catch {
                logger.warning("spans cannot be written", metadata: ["file": "\(path)", "error": "\(error)"])
                return
            }
            rest = rest.dropFirst(Self.batch)
        }
    }
}
