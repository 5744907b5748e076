internal import Projecting
internal import Synchronization

/// A few connections, made when they are needed and lent to one task at a time, in the order of asking.
final class Pool: Sendable {
    private struct State {
        var idle: [Connection] = []
        /// Idle and lent ones, and those being made.
        var count = 0
        var waiting: [CheckedContinuation<Connection?, Never>] = []
        var wasConnected = false
        var closed = false
    }
    private let state = Mutex(State())
    private let address: Address

    init(_ address: Address) { self.address = address }

    /// Whether the server was ever there.
    var wasConnected: Bool { state.withLock(\.wasConnected) }

    /// Runs `body` with a connection.
    func with<R: Sendable>(_ body: @escaping @Sendable (Session) throws -> R) async throws -> R {
        let connection = try await lease()
        let (result, isUsable) = await connection.run(body)
        if case .failure(let error as PostgresError) = result, error.isAway { await drain() }
        await take(back: connection, isUsable: isUsable)
        return try result.get()
    }

    private enum Order { case use(Connection), make, wait }

    private func lease() async throws -> Connection {
        while true {
            let order: Order = try state.withLock { state in
                if state.closed { throw ViewError(.failed, "the views at \(address) are closed") }
                if let connection = state.idle.popLast() { return .use(connection) }
                if state.count >= PostgresLimits.connections { return .wait }
                state.count += 1
                return .make
            }
            switch order {
            case .use(let connection): return connection
            case .make:
                do {
                    let connection = try await Connection.open(address)
                    state.withLock { $0.wasConnected = true }
                    return connection
                } catch {
                    forget()
                    throw error
                }
            case .wait: if let connection = await nextFree() { return connection }
            }
        }
    }

    /// One that was given back, or nil where there is room to make another.
    private func nextFree() async -> Connection? {
        await withCheckedContinuation { continuation in
            let now = state.withLock { state -> Connection?? in
                if let connection = state.idle.popLast() { return .some(connection) }
                if state.closed || state.count < PostgresLimits.connections { return .some(nil) }
                state.waiting.append(continuation)
                return nil
            }
            if let now { continuation.resume(returning: now) }
        }
    }

    private func take(back connection: Connection, isUsable: Bool) async {
        let (next, isKept) = state.withLock { state -> (CheckedContinuation<Connection?, Never>?, Bool) in
            if !isUsable || state.closed { return (nil, false) }
            if !state.waiting.isEmpty { return (state.waiting.removeFirst(), true) }
            state.idle.append(connection)
            return (nil, true)
        }
        next?.resume(returning: connection)
        if isKept { return }
        await connection.close()
        forget()
    }

    private func forget() {
        let next = state.withLock { state in
            state.count -= 1
            return state.waiting.isEmpty ? nil : state.waiting.removeFirst()
        }
        next?.resume(returning: nil)
    }

    /// Closes what is idle: where one connection was lost, the others are.
    private func drain() async {
        let idle = state.withLock { state in
            defer { state.idle = [] }
            return state.idle
        }
        for connection in idle {
            await connection.close()
            forget()
        }
    }

    func close() async {
        let waiting = state.withLock { state in
            state.closed = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume(returning: nil) }
        await drain()
    }
}
