internal import Foundation
internal import TestSupport

/// The worker processes of a campaign, and who starts them again when they end, as systemd or Docker would.
actor Workers {
    /// A place for one process: whoever is in it does the same work as the one before.
    struct Slot: Sendable {
        let name: String
        let arguments: [String]
    }
    /// Why a process may end.
    private enum Expected { case nothing, kill, stop }
    private struct State {
        var running: Running?
        var expected = Expected.nothing
        /// Seconds that its clock is ahead.
        var skew = 0
    }

    static let slots = ["handler", "reactor", "projector"].flatMap { kind in
        (1...2).map { Slot(name: "\(kind)-\($0)", arguments: ["work", kind]) }
    }
    /// Before a process that ended is started again.
    static let pause = Duration.milliseconds(200)
    /// In which a process must have stopped that was asked to; one that a frozen one holds up needs longer than others.
    static let patience = Duration.seconds(60)
    /// A server that is away, a full disk, a fenced commit: a supervisor starts the worker again.
    static let excusable: Set<Int32> = [69, 74, 75]

    private let site: Site
    private var states = [State](repeating: State(), count: Workers.slots.count)
    private var isStopping = false
    /// How often workers ended by themselves, by exit code and what they said.
    private(set) var ended: [String: Int] = [:]
    private(set) var discrepancies: [Discrepancy] = []

    init(_ site: Site) { self.site = site }

    /// Keeps a process in a slot until all are stopped.
    func keep(_ number: Int) async {
        let slot = Self.slots[number]
        while !isStopping {
            do {
                let skew = states[number].skew
                let running = try site.start(
                    slot.arguments, label: slot.name, environment: SkewedClock.environment(ahead: skew))
                states[number].running = running
                states[number].expected = .nothing
                note(try await running.end(within: .seconds(100_000)), running, number)
            } catch {
                discrepancies.append(Discrepancy(.broken, "\(slot.name): \(error)"))
            }
            states[number].running = nil
            if !isStopping { try? await Task.sleep(for: Self.pause) }
        }
    }

    private func note(_ end: Ended, _ running: Running, _ number: Int) {
        let name = Self.slots[number].name
        let last = end.err.split(separator: "\n").last.map(String.init) ?? ""
        switch (states[number].expected, end.exit) {
        // One that has just begun does not hear the signal yet.
        case (.kill, 128 + SIGKILL), (.stop, 0), (.stop, 128 + SIGTERM): break
        case (_, let code) where Self.excusable.contains(code):
            ended["exit \(code)", default: 0] += 1
        default:
            discrepancies.append(
                Discrepancy(.broken, "\(name) ended with \(end.exit), see \(running.errFile): \(last)"))
        }
    }

    private func signal(_ number: Int, _ signal: Int32, _ expected: Expected? = nil) {
        if let expected { states[number].expected = expected }
        states[number].running?.send(signal)
    }

    func kill(_ number: Int) { signal(number, SIGKILL, .kill) }
    func killAll() { for number in Self.slots.indices { kill(number) } }
    func freeze(_ number: Int) { signal(number, SIGSTOP) }
    func wake(_ number: Int) { signal(number, SIGCONT) }

    /// Stops a process in order; another takes its slot, with such a clock.
    func restart(_ number: Int, skew: Int = 0) {
        states[number].skew = skew
        stop(number)
    }

    private func stop(_ number: Int) {
        guard let running = states[number].running, states[number].expected == .nothing else { return }
        signal(number, SIGTERM, .stop)
        let name = Self.slots[number].name
        Task {
            try? await Task.sleep(for: Self.patience)
            if running.hasEnded { return }
            running.send(SIGKILL)
            late("\(name) did not stop within \(Self.patience), see \(running.errFile)")
        }
    }

    private func late(_ words: String) { discrepancies.append(Discrepancy(.broken, words)) }

    /// Stops all in order. Who keeps them is then done.
    func stopAll() {
        isStopping = true
        for number in Self.slots.indices {
            wake(number)
            stop(number)
        }
    }
}
