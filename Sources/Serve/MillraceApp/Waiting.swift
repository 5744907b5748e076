internal import EventLog
internal import EventModel
internal import Foundation
internal import MillraceBus
internal import Projecting

/// `--after`: waits until a view has seen some places. The log is opened only to ask whether it has them.
struct Waiting {
    private let wait: ViewWait
    private let places: LogAndViewOptions

    init(
        for wanted: [EventPlace], of view: String, _ projection: AnyProjection, patience: Duration,
        places: LogAndViewOptions
    ) throws {
        wait = try ViewWait(
            for: wanted.map { ($0.partition, $0.offset) }, of: view, projection, within: patience)
        self.places = places
    }

    func wait(for live: AnyProjection, in views: any ViewStore, _ app: Application) async throws {
        // A log on this machine is asked at once, a broker when something seems to be wrong.
        var folder: String?
        if case .local(let path) = try places.logPlace() { folder = path }
        try await wait.wait(for: live, in: views, asksAtOnce: folder != nil) {
            if let folder, !FileManager.default.fileExists(atPath: folder + "/log.sqlite") { return }
            do {
                try await places.withLog(app) { try await wait.check(on: $0) }
            } catch let error as LogError where error.kind != .unknownTopic {}
        }
    }
}
