internal import EventLog
internal import EventModel
internal import MillraceBus
internal import Projecting
internal import Quarantining

/// How workers do, as the log and the views tell: also of those in other processes.
final class WorkerSampler: Sendable {
    struct Seen: Sendable {
        var worker: Worker
        var health: WorkerHealth
        /// Records that wait for somebody to look after them.
        var waiting = 0
        /// How many keys they are of.
        var keys = 0
        /// Records a second that it has handled since the sample before; nil where there is none.
        var rate: Int?
    }

    private let all: [Worker]
    private let log: any EventLog
    private let views: any ViewStore
    private let samples = RecentSamples<Seen>()

    init(_ all: [Worker], log: any EventLog, views: any ViewStore) {
        (self.all, self.log, self.views) = (all, log, views)
    }

    func sample() async throws -> [Seen] {
        if let last = samples.last { return last }
        let lines = try await WorkerLag.settled(all, log: log, views: views, sum: false, within: .zero)
        let health = try await WorkerHealth.states(
            lines, on: log, at: now(), maxLag: nil, maxAge: WorkerHealth.age)
        let groups = try QuarantineGroup.groups(try await log.quarantine().read(), nil, in: [])
        let committed = lines.reduce(into: [String: Int64]()) {
            $0[$1.worker, default: 0] += $1.committed?.rawValue ?? 0
        }
        return samples.keep(committed) { rate in
            all.map { worker -> Seen in
                var seen = Seen(
                    worker: worker,
                    health: health.first { $0.worker == worker.name } ?? WorkerHealth(worker: worker.name))
                let own = groups.filter { $0.worker == worker.name }
                (seen.waiting, seen.keys) = (own.reduce(0) { $0 + $1.items.count }, own.count)
                seen.rate = rate(worker.name)
                return seen
            }
        }
    }
}
