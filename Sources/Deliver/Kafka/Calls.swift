internal import Dispatch

/// A thread for calls that block, so that none blocks Swift's cooperative pool; they are made one after another.
struct Calls: Sendable {
    private let queue: DispatchQueue

    init(_ label: String) { queue = DispatchQueue(label: label) }

    func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws(KafkaError) -> Value
    ) async throws(KafkaError) -> Value {
        try await outcome(body).get()
    }

    func outcome<Value: Sendable>(
        _ body: @escaping @Sendable () throws(KafkaError) -> Value
    ) async -> Result<Value, KafkaError> {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: Result(catching: body)) }
        }
    }

    /// Starts what runs for long; what is asked for later waits until it has ended.
    func start(_ body: @escaping @Sendable () -> Void) { queue.async(execute: body) }

    func finish() async {
        await withCheckedContinuation { continuation in queue.async { continuation.resume() } }
    }
}

extension Duration {
    /// Whole milliseconds for librdkafka: at least 0, and at most a day.
    var milliseconds: Int32 {
        let (seconds, attoseconds) = components
        if seconds >= 86400 { return 86_400_000 }
        return Int32(max(0, seconds * 1000 + attoseconds / 1_000_000_000_000_000))
    }
}
