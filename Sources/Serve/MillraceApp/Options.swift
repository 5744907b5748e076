internal import ArgumentParser
internal import CoreMetrics
internal import EventLog
internal import EventModel
internal import Foundation
internal import LocalLog
internal import Logging
internal import MillraceBus
internal import Projecting
internal import Snapshots

/// Where the log and the views are.
struct LogAndViewOptions: ParsableArguments {
    @Option(
        name: .customLong("log"),
        help: ArgumentHelp(
            "local:FOLDER or kafka://HOST:PORT[,HOST:PORT...] (also MILLRACE_LOG).", valueName: "url"),
        completion: .names)
    var logURL: String?

    @Option(
        help: ArgumentHelp("A file of librdkafka properties, name=value a line.", valueName: "file"),
        completion: .file())
    var kafkaConfig: String?

    @Option(
        name: .customLong("views"),
        help: ArgumentHelp(
            "sqlite:FOLDER or postgres://USER@HOST:PORT/DATABASE (also MILLRACE_VIEWS; default: beside the log).",
            valueName: "url"), completion: .names)
    var viewsURL: String?

    @Option(
        name: .customLong("topics"),
        help: ArgumentHelp(
            """
            The declaration of the topics (default: topics.yaml here, else built in). Given again, a later file goes over \
            those before, field by field.
            """, valueName: "file"), completion: .file())
    var topicFiles: [String] = []

    func logPlace() throws -> LogPlace {
        try LogPlace(url: logURL ?? ProcessInfo.processInfo.environment["MILLRACE_LOG"] ?? "local:\(dataFolder())")
    }

    func viewsPlace() throws -> ViewsPlace {
        try ViewsPlace(
            url: viewsURL ?? ProcessInfo.processInfo.environment["MILLRACE_VIEWS"], beside: try logPlace())
    }

    func snapshots() throws -> SnapshotFolder { try viewsPlace().snapshots(beside: try logPlace()) }

    /// Opens the log. On this machine its topics are made where they are missing; on Kafka that is `topics apply`.
    ///
    /// - Parameters:
    ///   - working: For workers, which have more patience with brokers, and a name in their groups.
    ///   - answerLimit: How long a broker may take to answer; nil is as long as the log waits by itself.
    ///   - metrics: What counts the log's commits, or its clients' statistics.
    func openLog(
        _ app: Application, working: Bool = false, within answerLimit: Duration? = nil,
        metrics: (any MetricsFactory)? = nil
    ) async throws -> any EventLog {
        let place = try logPlace()
        var opening = LogPlace.Opening(topics: [], tell: Output.notice)
        (opening.working, opening.answerLimit, opening.metrics) = (working, answerLimit, metrics)
        switch place {
        case .local: opening.topics = try declaredTopics(app)
        case .kafka:
            let file = kafkaConfig
            opening.properties = try Self.kafkaProperties(file)
            // A pipe has nothing the second time, and may keep one waiting.
            if let file, InputBytes.isNamed(file) {
                opening.rereadProperties = { try? Self.kafkaProperties(file) }
            }
        }
        return try await place.open(opening)
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
                "\(Program.name): others on this machine can look into \(folder) (its mode is \(mode)); unless that is meant: "
                    + "chmod -R go= \(folder)")
        }
    }

    func withLog<R>(
        _ app: Application, working: Bool = false, metrics: (any MetricsFactory)? = nil,
        _ body: (any EventLog) async throws -> R
    ) async throws -> R {
        try await openLog(app, working: working, metrics: metrics).closed(after: body)
    }

    func withViews<R>(_ body: (any ViewStore) async throws -> R) async throws -> R {
        try await viewsPlace().open().closed(after: body)
    }

    func declarations(_ app: Application) throws -> [DeclaredTopic] {
        try TopicFile.declared(topicFiles, domains: app.domains)
    }
    func declaredTopics(_ app: Application) throws -> [Topic] { try declarations(app).map(\.topic) }

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

func makeLogger(verbose: Bool) -> Logger {
    var logger = Logger(label: Program.name) { label in
        if LogFormat.current == .json { return JSONLogHandler() }
        return ShownLogHandler(StreamLogHandler.standardError(label: label))
    }
    logger.logLevel = verbose ? .debug : .notice
    return logger
}
