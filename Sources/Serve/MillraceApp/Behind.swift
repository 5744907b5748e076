internal import EventLog
internal import EventModel
internal import Foundation
internal import MillraceBus

extension LogAndViewOptions {
    /// How long a broker may take to say how far a view is behind: the answer itself is there already.
    static let behindLimit = Duration.seconds(1)

    /// Says on standard error how far a view that was asked is behind its topics, and what to start.
    ///
    /// A log on this machine is asked each time; a broker only where the answer was empty, for to open one takes a while.
    func tellIfBehind(
        _ projection: AnyProjection, _ asOf: [TopicPartition: Offset], isEmpty: Bool, _ app: Application
    ) async throws {
        let behind: Int64
        do {
            switch try logPlace() {
            case .local(let folder):
                guard FileManager.default.fileExists(atPath: folder + "/log.sqlite") else { return }
                // Nothing is made there.
                behind = try await logPlace().open(LogPlace.Opening(topics: [], tell: { _ in })).closed {
                    try await $0.events(past: asOf, of: projection)
                }
            case .kafka:
                if !isEmpty { return }
                behind = try await openLog(app, within: Self.behindLimit).closed {
                    try await $0.events(past: asOf, of: projection)
                }
            }
        } catch {
            // What is wrong with the log is no fault of the answer.
            if isEmpty {
                let why = Failure(error, in: app)?.message ?? "\(error)"
                Output.complain(
                    "\(Program.name): how far \(projection.name) is behind could not be looked up: \(why)",
                    in: .doubtful)
            }
            return
        }
        guard behind > 0 else { return }
        let topics = projection.topics.joined(separator: ", ")
        let events = behind == 1 ? "1 event" : "\(behind) events"
        let how = "start: \(Program.name) up, or \(Program.name) work \(projection.name)"
        Output.complain(
            asOf.isEmpty
                ? "\(Program.name): \(projection.name) has never been folded, and \(topics) has \(events) for it; \(how)"
                : "\(Program.name): \(projection.name) is \(events) behind \(topics); where no worker is folding them, \(how)",
            in: .doubtful)
    }
}

extension EventLog {
    /// How many offsets lie between what a view shows and the ends of its topics.
    fileprivate func events(past asOf: [TopicPartition: Offset], of projection: AnyProjection) async throws -> Int64 {
        try await bounds(of: partitions(of: projection.topics)).reduce(0) { sum, entry in
            let range = entry.value
            return sum + max(0, range.upperBound - max(asOf[entry.key] ?? range.lowerBound, range.lowerBound))
        }
    }
}

extension AnyProjection {
    /// The names of the columns that are keys of its tables.
    var keys: Set<String> { Set(tables.flatMap { $0.columns.prefix($0.key).map(\.name) }) }
}
