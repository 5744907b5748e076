internal import Synchronization

/// An outcome that is awaited once, given before or after.
final class Reply: Sendable {
    typealias Told = @Sendable (Result<Outcome, any Error>) -> Void

    private enum State {
        case open
        case awaited(Told)
        case given(Result<Outcome, any Error>)
    }
    private let state: Mutex<State>

    /// - Parameter told: Called with the outcome, by whoever gives it; nil where a task awaits ``value()``.
    init(_ told: Told? = nil) { state = Mutex(told.map { .awaited($0) } ?? .open) }

    func give(_ result: Result<Outcome, any Error>) {
        let told = state.withLock { state -> Told? in
            switch state {
            case .open:
                state = .given(result)
                return nil
            case .awaited(let told):
                state = .given(result)
                return told
            case .given: return nil
            }
        }
        told?(result)
    }

    func value() async throws -> Outcome {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let given = state.withLock { state -> Result<Outcome, any Error>? in
                    if case .given(let result) = state { return result }
                    state = .awaited { continuation.resume(with: $0) }
                    return nil
                }
                if let given { continuation.resume(with: given) }
            }
        } onCancel: {
            give(.failure(CancellationError()))
        }
    }
}
