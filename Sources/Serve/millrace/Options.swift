internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import Foundation
internal import KafkaLog
internal import LocalLog
internal import Logging
internal import PostgresViews
internal import Projecting
internal import SQLiteViews
internal import Snapshots
internal import Synchronization

/// Where the log and the views are.
struct Places: ParsableArguments {
    @Option(
        name: .customLong("log"),
        help: ArgumentHelp(
            "local:FOLDER or kafka://HOST:PORT[,HOST:PORT...] (also MILLRACE_LOG).", valueName: "url"))
    var logURL: String?

    @Option(help: ArgumentHelp("A file of librdkafka properties, name=value a line.", valueName: "file"))
    var kafkaConfig: String?

    @Option(
        name: .customLong("views"),
        help: ArgumentHelp(
            "sqlite:FOLDER or postgres://USER@HOST:PORT/DATABASE (also MILLRACE_VIEWS; default: beside the log).",
            valueName: "url"))
    var viewsURL: String?

    @Option(
        name: .customLong("topics"),
        help: ArgumentHelp(
            """
            The declaration of the topics (default: topics.yaml here, else built in). Given again, a later file goes over \
            those before, field by field.
            """, valueName: "file"))
    var topicFiles: [String] = []

    /// The per-user data folder (XDG Base Directory).
    static var data: String {
        let environment = ProcessInfo.processInfo.environment
        if let home = environment["XDG_DATA_HOME"], !home.isEmpty { return home + "/millrace" }
        return (environment["HOME"] ?? NSHomeDirectory()) + "/.local/share/millrace"
    }

    enum LogPlace: Equatable {
        case local(String)
        case kafka(String)
    }

    func logPlace() throws -> LogPlace {
        let url = logURL ?? ProcessInfo.processInfo.environment["MILLRACE_LOG"] ?? "local:\(Self.data)"
        if url.hasPrefix("local:"), url.count > 6 { return .local(Self.path(url.dropFirst(6))) }
        if url.hasPrefix("kafka://"), url.count > 8 { return .kafka(String(url.dropFirst(8))) }
        throw Failure(.usage, "the log \(url) is neither local:FOLDER nor kafka://HOST:PORT")
    }

    private static func path(_ text: Substring) -> String { NSString(string: String(text)).expandingTildeInPath }

    /// Opens the log. On this machine its topics are made where they are missing; on Kafka that is `topics apply`.
    ///
    /// - Parameter working: For workers, which have more patience with brokers, and a name in their groups.
    func openLog(working: Bool = false) async throws -> any EventLog {
        switch try logPlace() {
        case .local(let folder):
            let log = try await LocalLog.open(directory: folder) { Output.complain("millrace: \($0)") }
            EdgeClock.correct(by: log.clockCorrection)
            if log.isReadOnly { return log }
            do {
                let there = Set(try await log.topics().map(\.name))
                try await log.create(try declaredTopics().filter { !there.contains($0.name) })
            } catch {
                await log.close()
                throw error
            }
            return log
        case .kafka(let brokers):
            let (work, file) = (working ? try KafkaWork.set() : nil, kafkaConfig)
            return try await KafkaLog(
                brokers: brokers, properties: try Self.kafkaProperties(file), patience: work?.patience,
                membership: try KafkaWork.membership(working: working)
            ) {
                // A pipe has nothing the second time, and may keep one waiting.
                file.map(InputBytes.isNamed) == true ? try? Self.kafkaProperties(file) : nil
            }
        }
    }

    /// Says once which of the folders others on this machine can look into.
    func complainOfExposure() throws {
        var folders: [String] = []
        if case .local(let folder) = try logPlace() { folders.append(folder) }
        if case .sqlite(let folder) = try viewsPlace() { folders.append(folder) }
        // What is within a folder that is closed is closed too.
        if folders.count == 2, folders[1].hasPrefix(folders[0] + "/") { folders.removeLast() }
        for folder in folders {
            guard let mode = PrivateFiles.exposure(of: folder) else { continue }
            Output.complain(
                "millrace: others on this machine can look into \(folder) (its mode is \(mode)); unless that is meant: "
                    + "chmod -R go= \(folder)")
        }
    }

    func withLog<R>(working: Bool = false, _ body: (any EventLog) async throws -> R) async throws -> R {
        let log = try await openLog(working: working)
        do {
            let result = try await body(log)
            await log.close()
            return result
        } catch {
            await log.close()
            throw error
        }
    }

    enum ViewsPlace: CustomStringConvertible {
        case sqlite(String)
        case postgres(PostgresViews)

        /// As it may be shown: without a password.
        var description: String {
            switch self {
            case .sqlite(let folder): "sqlite:\(folder)"
            case .postgres(let views): views.shownURL
            }
        }
    }

    func viewsPlace() throws -> ViewsPlace {
        if let url = viewsURL ?? ProcessInfo.processInfo.environment["MILLRACE_VIEWS"] {
            if PostgresViews.isURL(url) { return .postgres(try PostgresViews(url: url)) }
            guard url.hasPrefix("sqlite:"), url.count > 7 else {
                // It may be a URL with a password and a slip in its scheme.
                throw Failure(
                    .usage, "the views are neither sqlite:FOLDER nor postgres://USER@HOST:PORT/DATABASE")
            }
            return .sqlite(Self.path(url.dropFirst(7)))
        }
        return .sqlite(try besideLog())
    }

    /// The folder of this machine for what is folded from the log.
    private func besideLog() throws -> String {
        switch try logPlace() {
        case .local(let folder): return folder + "/views"
        case .kafka(let brokers):
            let name = brokers.map { $0.isLetter || $0.isNumber || $0 == "." ? String($0) : "-" }.joined()
            return "\(Self.data)/views-kafka-\(name)"
        }
    }

    /// Where snapshots of views are: beside views in files, or where those would be.
    func snapshots() throws -> SnapshotFolder {
        if let folder = ProcessInfo.processInfo.environment["MILLRACE_SNAPSHOTS"], !folder.isEmpty {
            return SnapshotFolder(Self.path(folder[...]))
        }
        if case .sqlite(let folder) = try viewsPlace() { return SnapshotFolder(folder + "/snapshots") }
        return SnapshotFolder(try besideLog() + "/snapshots")
    }

    func openViews() throws -> any ViewStore {
        switch try viewsPlace() {
        case .sqlite(let folder): try SQLiteViews(directory: folder)
        case .postgres(let views): views
        }
    }

    func withViews<R>(_ body: (any ViewStore) async throws -> R) async throws -> R {
        try await openViews().closed(after: body)
    }

    func declarations() throws -> [DeclaredTopic] { try TopicFile.declared(topicFiles, domains: Millrace.domains) }
    func declaredTopics() throws -> [Topic] { try declarations().map(\.topic) }

    private static func kafkaProperties(_ file: String?) throws -> [String: String] {
        guard let file else { return [:] }
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw Failure(.noInput, "the Kafka configuration \(file) cannot be read")
        }
        var properties: [String: String] = [:]
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = line.trimmingCharacters(in: .whitespaces)
            if line.isEmpty || line.hasPrefix("#") { continue }
            guard let equals = line.firstIndex(of: "=") else {
                throw Failure(.configuration, "\(file):\(number + 1): is not name=value")
            }
            let name = line[..<equals].trimmingCharacters(in: .whitespaces)
            properties[name] = line[line.index(after: equals)...].trimmingCharacters(in: .whitespaces)
        }
        return properties
    }
}

/// How results are shown.
struct Shape: ParsableArguments {
    @Flag(help: "Show JSON.")
    var json = false
    @Flag(help: "Show a table.")
    var table = false

    var asTable: Bool { table || (!json && Output.isTerminal) }

    func validate() throws {
        if json && table { throw ValidationError("--json and --table exclude each other") }
    }
}

/// The clock of the edges; deciders and folds only ever see records' times.
func now() -> Timestamp {
    Timestamp(
        Int64((Date().timeIntervalSince1970 * 1000).rounded(.down)) + EdgeClock.correction.load(ordering: .relaxed))
}

/// What this process's clock is to be corrected by, where the log knows better what time it is on this machine.
enum EdgeClock {
    fileprivate static let correction = Atomic<Int64>(0)

    static func correct(by correction: Duration) { self.correction.store(correction.milliseconds, ordering: .relaxed) }
}

func makeLogger(verbose: Bool) -> Logger {
    var logger = Logger(label: "millrace") { ShownLogHandler(StreamLogHandler.standardError(label: $0)) }
    logger.logLevel = verbose ? .debug : .notice
    return logger
}
