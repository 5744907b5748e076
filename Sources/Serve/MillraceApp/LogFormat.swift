internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import Foundation
internal import Logging
internal import MillraceBus
internal import Synchronization

/// How a long run says what happens, on standard error: as lines for people, or as one JSON object a line for collectors of
/// logs.
enum LogFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json

    private static let chosen = Mutex(LogFormat.text)
    /// That of this process: what it says goes to one place.
    static var current: LogFormat { chosen.withLock { $0 } }

    /// One message, without its end.
    ///
    /// - Parameters:
    ///   - message: In text it stands as it is, in JSON without the program's name before it.
    ///   - metadata: What belongs to it, by name.
    func line(
        _ message: String, level: Logger.Level = .notice, metadata: [String: String] = [:], at moment: Timestamp
    ) -> String {
        guard self == .json else { return message }
        let members = metadata.sorted { $0.key < $1.key }.map { ($0.key, JSON.string($0.value)) }
        let prefix = "\(Program.name): "
        let own = message.hasPrefix(prefix) ? String(message.dropFirst(prefix.count)) : message
        return JSON.object(
            [
                ("time", JSON.string(moment.rfc3339)), ("level", JSON.string(level.rawValue)),
                ("message", JSON.string(own)),
            ] + (members.isEmpty ? [] : [("fields", JSON.object(members))]))
    }
}

/// What `up` and `work` say while they run.
struct LogOptions: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Name the workers, and log what happens.")
    var verbose = false
    @Option(
        help: ArgumentHelp(
            "What is said on standard error: text, or json, an object a line (also MILLRACE_LOG_FORMAT).",
            valueName: "text|json"))
    var logFormat: LogFormat?

    /// Chooses the format for this process, and makes its logger.
    ///
    /// - Throws: ``Failure`` where the environment names no format.
    func logger(_ environment: [String: String] = ProcessInfo.processInfo.environment) throws -> Logger {
        var format = logFormat
        if format == nil, let said = environment["MILLRACE_LOG_FORMAT"], !said.isEmpty {
            format = LogFormat(rawValue: said)
            if format == nil {
                throw Failure(.configuration, "MILLRACE_LOG_FORMAT is \(said), it must be text or json")
            }
        }
        LogFormat.choose(format ?? .text)
        return makeLogger(verbose: verbose)
    }
}

extension LogFormat {
    fileprivate static func choose(_ format: LogFormat) { chosen.withLock { $0 = format } }

    /// Commands that run long, and say what happens in the format that is chosen.
    private static let logging: Set<String> = ["up", "work", "serve"]

    /// Chooses JSON before anything is read where a command line asks for it, so that what is wrong with that is said in it too.
    static func foresee(
        _ arguments: [String], _ environment: [String: String] = ProcessInfo.processInfo.environment
    ) {
        guard let command = arguments.first, logging.contains(command) else { return }
        let option = arguments.indices.last { arguments[$0].hasPrefix("--log-format") }
        var said = environment["MILLRACE_LOG_FORMAT"]
        if let option {
            let parts = arguments[option].split(separator: "=", maxSplits: 1)
            let isNext = parts.count == 1 && option + 1 < arguments.count
            said = parts.count == 2 ? String(parts[1]) : isNext ? arguments[option + 1] : nil
        }
        if said == LogFormat.json.rawValue { choose(.json) }
    }
}

/// Writes a logger's messages as JSON, an object a line.
struct JSONLogHandler: LogHandler {
    var logLevel = Logger.Level.notice
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { $1 }.mapValues { "\($0)" }
        let line = LogFormat.json.line(event.message.description, level: event.level, metadata: fields, at: now())
        StandardError.write(line + "\n")
    }
}
