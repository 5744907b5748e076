public import EventLog
internal import ServiceLifecycle

extension GroupLoop {
    /// Works as a service does, until it is told to shut down or is cancelled. It notices at once, also while it waits.
    ///
    /// - Parameter quarantine: Wakes it when something may be asked of it.
    public func serve(_ work: inout some GroupWork, asked quarantine: QuarantineLog?) async throws {
        quarantine?.add(wake)
        defer { quarantine?.remove(wake) }
        try await withGracefulShutdownHandler {
            try await run(&work, until: { Task.isShuttingDownGracefully })
        } onGracefulShutdown: { [wake] in
            wake.ring()
        }
    }
}
