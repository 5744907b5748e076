internal import Foundation
internal import TestSupport

/// What `up` takes of the processor when nobody asks anything of it.
extension Bench {
    /// How long it is left alone first, and watched then. The kernel counts hundredths of a second.
    private static let rest = Duration.seconds(8)
    private static let watched = Duration.seconds(30)

    func idleRows() async throws -> [Row] {
        let place = try fresh("idle")
        defer { remove(place) }
        var shares = ["a local log": [try await idle(["MILLRACE_LOG": "local:\(place)"])]]
        if let broker {
            let views = ["MILLRACE_LOG": "kafka://\(broker)", "MILLRACE_VIEWS": "sqlite:\(place)/views"]
            let made = try await Running(
                program, ["topics", "apply"], environment: views, cwd: folder, scratch: folder
            ).end(within: .seconds(120))
            if made.exit != 0 { throw Overdue(description: "millrace topics apply: \(made)") }
            shares["a broker"] = [try await idle(views)]
        }
        return shares.sorted { $0.key > $1.key }.map { log, shares in
            Row("up with nothing to do on \(log): of one core", .percent, shares, .atMost(0.3))
        }
    }

    /// Hundredths of a core.
    private func idle(_ environment: [String: String]) async throws -> Double {
        let running = try Running(program, ["up"], environment: environment, cwd: folder, scratch: folder)
        try await eventually("up to be ready", within: .seconds(120)) {
            running.err.contains("up after") ? true : nil
        }
        try await Task.sleep(for: Self.rest)
        let (before, watch) = (try ProcessorTime.of(running.pid), Stopwatch())
        try await Task.sleep(for: Self.watched)
        let share = 100 * (try ProcessorTime.of(running.pid) - before) / watch.seconds
        try await running.stop()
        return share
    }
}
