internal import Synchronization

/// An outcome that is awaited once, given before or after; or told to whoever was named at the start.
final class Reply: Sendable {
    private enum State {
        case open
        case told(Told)
        case awaited(CheckedContinuation<Outcome, any Error>)
        case given(Result<Outcome, any Error>)
    }
    typealias Told = @Sendable (Result<Outcome, any Error>) -> Void
    private let state: Mutex<State>

    init(_ told: Told? = nil) { state = Mutex(told.map { .told($0) } ?? .open) }

    func give(_ result: Result<Outcome, any Error>) {
        let before = state.withLock { state -> State in
            if case .given = state { return state }
            defer { state = .given(result) }
            return state
        }
        switch before {
        case .open, .given: break
        case .told(let told): told(result)
        case .awaited(let continuation): continuation.resume(with: result)
        }
    }

    func value() async throws -> Outcome {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let given = state.withLock { state -> Result<Outcome, any Error>? in
                    if case .given(let result) = state { return result }
                    state = .awaited(continuation)
                    return nil
                }
                if let given { continuation.resume(with: given) }
            }
        } onCancel: {
            give(.failure(CancellationError()))
        }
    }
}
