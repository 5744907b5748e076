internal import ArgumentParser
internal import EventModel
internal import Foundation
internal import MillraceBus
internal import Snapshots

/// Where a demo takes place. It is somebody's own log only where that is said, so the environment is not asked.
struct DemoOptions: ParsableArguments {
    @Option(
        name: .customLong("log"),
        help: ArgumentHelp(
            """
            Play on this log and leave there what it did: local:FOLDER or kafka://HOST:PORT. MILLRACE_LOG is not looked \
            at.
            """,
            valueName: "url"), completion: .names)
    var logURL: String?
    @Option(
        help: ArgumentHelp("With --log: a file of librdkafka properties, name=value a line.", valueName: "file"),
        completion: .file())
    var kafkaConfig: String?
    @Option(
        name: .customLong("views"),
        help: ArgumentHelp(
            "With --log: where its views are (also MILLRACE_VIEWS; default: beside the log).", valueName: "url"),
        completion: .names)
    var viewsURL: String?
    @Option(
        name: .customLong("topics"),
        help: ArgumentHelp(
            "The declaration of the topics (default: topics.yaml here, else built in).", valueName: "file"),
        completion: .file())
    var topicFiles: [String] = []
    @Flag(help: "Keep the temporary folder, and say where it is.")
    var keep = false

    func validate() throws {
        if logURL == nil, kafkaConfig != nil || viewsURL != nil {
            throw ValidationError("\(viewsURL != nil ? "--views" : "--kafka-config") goes with --log")
        }
    }

    func place() throws -> DemoPlace {
        func option(_ name: String, _ value: String?) -> [String] { value.map { [name, $0] } ?? [] }
        let topics = topicFiles.flatMap { ["--topics", $0] }
        if let logURL {
            let places = try LogAndViewOptions.parse(
                ["--log", logURL] + option("--kafka-config", kafkaConfig) + option("--views", viewsURL) + topics)
            return DemoPlace(
                places: places, log: logURL, snapshots: try places.snapshots(), folder: nil, isRemoved: false)
        }
        let folder = NSTemporaryDirectory() + "\(Program.name)-demo-\(UUID().uuidString.prefix(8).lowercased())"
        let log = "local:\(folder)"
        return DemoPlace(
            places: try LogAndViewOptions.parse(["--log", log, "--views", "sqlite:\(folder)/views"] + topics), log: log,
            snapshots: SnapshotFolder(folder + "/views/snapshots"), folder: folder, isRemoved: !keep)
    }
}

/// The log of one demo, its views and their snapshots.
struct DemoPlace: Sendable {
    let places: LogAndViewOptions
    /// What `--log` is given.
    let log: String
    let snapshots: SnapshotFolder
    /// Where all of it is; nil where it is on a log that was given.
    let folder: String?
    let isRemoved: Bool

    /// Removes what is not to stay.
    func clear() { if isRemoved, let folder { try? FileManager.default.removeItem(atPath: folder) } }
}
