internal import Foundation
internal import PostgresServer
internal import Synchronization
internal import TestSupport

/// Lets a schedule's faults happen.
struct Injector: Sendable {
    /// A fault that happened.
    struct Injected: Sendable {
        var kind: Fault.Kind
        var at: ContinuousClock.Instant
        /// What was hit.
        var words: String
    }

    let site: Site
    let workers: Workers
    let producers: LiveProducers
    let start: ContinuousClock.Instant
    let done = Done()

    final class Done: Sendable {
        private let list = Mutex<[Injected]>([])
        fileprivate func add(_ one: Injected) { list.withLock { $0.append(one) } }
        var all: [Injected] { list.withLock { $0 } }
    }

    /// Ends once all faults have happened and are over.
    func run(_ schedule: Schedule) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (at, fault) in schedule.faults {
                try await Task.sleep(until: start + at, clock: .continuous)
                group.addTask { try await inject(fault) }
            }
            try await group.waitForAll()
        }
    }

    private func inject(_ fault: Fault) async throws {
        let slot = fault.target % Workers.slots.count
        let name = Workers.slots[slot].name
        switch fault.kind {
        case .workerKilled:
            note(fault, name)
            await workers.kill(slot)
        case .allWorkersKilled:
            note(fault, "all")
            await workers.killAll()
        case .workerRestarted:
            note(fault, name)
            await workers.restart(slot)
        case .clockSkewed:
            note(fault, "\(name) by \(fault.skew) s")
            await workers.restart(slot, skew: fault.skew)
        case .workerFrozen:
            note(fault, "\(name) for \(fault.lasts)")
            await workers.freeze(slot)
            try await Task.sleep(for: fault.lasts)
            await workers.wake(slot)
        case .producerKilled:
            // There is none between two chunks.
            let name = try? await eventually("a producer", within: .seconds(5)) { producers.kill(fault.target) }
            if let name { note(fault, name) }
        case .databaseCrashed:
            guard let server = site.server else { return }
            try await blocking { try server.stop("immediate") }
            note(fault, "for \(fault.lasts)")
            try await Task.sleep(for: fault.lasts)
            try await blocking { try server.start() }
        case .brokerRestarted:
            guard let command = site.brokerRestart else { return }
            note(fault, command)
            let shell = try Running(
                "/bin/sh", ["-c", command], cwd: site.folder, scratch: site.folder + "/processes", label: "broker-")
            let end = try await shell.end()
            if end.exit != 0 { throw Overdue(description: "\(command): \(end)") }
        case .connectionsDropped:
            note(fault, "to the database")
            site.proxy?.drop()
        case .connectionsFrozen:
            note(fault, "to the database for \(fault.lasts)")
            site.proxy?.freeze(true)
            try await Task.sleep(for: fault.lasts)
            site.proxy?.freeze(false)
        case .diskFull:
            guard let disk = site.disk else { return }
            try await blocking { try disk.fill(leaving: 64) }
            note(fault, "for \(fault.lasts)")
            try await Task.sleep(for: fault.lasts)
            disk.free()
        }
    }

    private func note(_ fault: Fault, _ words: String) {
        done.add(Injected(kind: fault.kind, at: .now, words: words))
    }
}

/// Runs what blocks on a thread that may be blocked.
func blocking<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(with: Result { try body() }) }
    }
}
