package import CoreMetrics
package import EventLog
package import EventModel
internal import Foundation
internal import KafkaLog
internal import LocalLog
internal import Metering
package import PostgresViews
package import Projecting
internal import SQLiteViews
package import Snapshots

/// Where the log is, as its URL says: `local:FOLDER` or `kafka://HOST:PORT[,HOST:PORT...]`.
package enum LogPlace: Equatable, Sendable, CustomStringConvertible {
    case local(String)
    case kafka(String)

    /// - Throws: ``BusError`` where it is neither.
    package init(url: String) throws(BusError) {
        if url.hasPrefix("local:"), url.count > 6 {
            self = .local(expandedPath(url.dropFirst(6)))
        } else if url.hasPrefix("kafka://"), url.count > 8 {
            self = .kafka(String(url.dropFirst(8)))
        } else {
            throw BusError(.usage, "the log \(url) is neither local:FOLDER nor kafka://HOST:PORT")
        }
    }

    package var description: String {
        switch self {
        case .local(let folder): "local:\(folder)"
        case .kafka(let brokers): "kafka://\(brokers)"
        }
    }

    /// The folder of this machine for what is folded from the log.
    package var folderOfViews: String {
        switch self {
        case .local(let folder): return folder + "/views"
        case .kafka(let brokers):
            let name = brokers.map { $0.isLetter || $0.isNumber || $0 == "." ? String($0) : "-" }.joined()
            return "\(dataFolder())/views-kafka-\(name)"
        }
    }

    /// The file of this machine for what checks passwords: beside the folder of views, which may be folded anew at any time.
    package var fileOfCredentials: String {
        switch self {
        case .local(let folder): folder + "/credentials.db"
        case .kafka: folderOfViews + "-credentials.db"
        }
    }

    /// How a log is opened.
    package struct Opening: Sendable {
        /// What is made on a log of this machine where it is missing. On Kafka an operator makes topics.
        package var topics: [Topic]
        /// For workers, which have more patience with brokers, and a name in their groups.
        package var working = false
        /// Properties of librdkafka; read again where a login is refused.
        package var properties: [String: String] = [:]
        package var rereadProperties: (@Sendable () -> [String: String]?)?
        /// How long a broker may take to answer; nil is as long as the log waits by itself.
        package var answerLimit: Duration?
        /// What counts its commits, or its clients' statistics; nil counts nothing.
        package var metrics: (any MetricsFactory)?
        package var tell: Notice

        package init(topics: [Topic], tell: @escaping Notice) { (self.topics, self.tell) = (topics, tell) }
    }

    package func open(_ opening: Opening) async throws -> any EventLog {
        switch self {
        case .local(let folder):
            var settings = LocalSettings(complain: opening.tell)
            settings.metrics = opening.metrics.map { LogMetrics(in: $0) }
            let log = try await LocalLog.open(directory: folder, settings)
            EdgeClock.correct(by: log.clockCorrection)
            if log.isReadOnly { return log }
            do {
                let there = Set(try await log.topics().map(\.name))
                try await log.create(opening.topics.filter { !there.contains($0.name) })
            } catch {
                await log.close()
                throw error
            }
            return log
        case .kafka(let brokers):
            let work = opening.working ? try KafkaWork.set(tell: opening.tell) : nil
            return try await KafkaLog(
                brokers: brokers, properties: opening.properties,
                limit: opening.answerLimit ?? KafkaLog.answerLimit, patience: work?.patience,
                membership: try KafkaWork.membership(working: opening.working), metrics: opening.metrics
            ) { opening.rereadProperties?() }
        }
    }
}

/// Where the views are, as their URL says: `sqlite:FOLDER` or `postgres://USER@HOST:PORT/DATABASE`.
package enum ViewsPlace: Sendable, CustomStringConvertible {
    case sqlite(String)
    case postgres(PostgresViews)

    /// - Parameter url: Nil takes a folder beside the log.
    /// - Throws: ``BusError`` where it is neither.
    package init(url: String?, beside log: LogPlace) throws {
        guard let url else {
            self = .sqlite(log.folderOfViews)
            return
        }
        if PostgresViews.isURL(url) {
            self = .postgres(try PostgresViews(url: url))
        } else if url.hasPrefix("sqlite:"), url.count > 7 {
            self = .sqlite(expandedPath(url.dropFirst(7)))
        } else {
            // It may be a URL with a password and a slip in its scheme.
            throw BusError(.usage, "the views are neither sqlite:FOLDER nor postgres://USER@HOST:PORT/DATABASE")
        }
    }

    /// As it may be shown: without a password.
    package var description: String {
        switch self {
        case .sqlite(let folder): "sqlite:\(folder)"
        case .postgres(let views): views.shownURL
        }
    }

    package func open() throws -> any ViewStore {
        switch self {
        case .sqlite(let folder): try SQLiteViews(directory: folder)
        case .postgres(let views): views
        }
    }

    /// Where snapshots of views are: beside views in files, or where those would be.
    package func snapshots(beside log: LogPlace) -> SnapshotFolder {
        if let folder = ProcessInfo.processInfo.environment["MILLRACE_SNAPSHOTS"], !folder.isEmpty {
            return SnapshotFolder(expandedPath(folder[...]))
        }
        if case .sqlite(let folder) = self { return SnapshotFolder(folder + "/snapshots") }
        return SnapshotFolder(log.folderOfViews + "/snapshots")
    }
}

/// The per-user data folder (XDG Base Directory).
package func dataFolder() -> String {
    let environment = ProcessInfo.processInfo.environment
    if let home = environment["XDG_DATA_HOME"], !home.isEmpty { return home + "/millrace" }
    return (environment["HOME"] ?? NSHomeDirectory()) + "/.local/share/millrace"
}

private func expandedPath(_ text: Substring) -> String { NSString(string: String(text)).expandingTildeInPath }
